package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func with(t *testing.T, dotenv string, pairs ...string) (*Config, error) {
	t.Helper()
	return loaded(t, (*Config).settle, dotenv, pairs...)
}

func loaded(t *testing.T, settle func(*Config, func(string) string) error, dotenv string, pairs ...string) (*Config, error) {
	t.Helper()
	vars := map[string]string{}
	var environ []string
	for i := 0; i < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
		environ = append(environ, pairs[i]+"="+pairs[i+1])
	}
	path := filepath.Join(t.TempDir(), ".env")
	if dotenv != "" {
		if err := os.WriteFile(path, []byte(dotenv), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return load(path, func(n string) (string, bool) { v, ok := vars[n]; return v, ok }, environ, settle)
}

func TestDefaults(t *testing.T) {
	c, err := with(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if !c.Dev || !c.Embedded || c.Listen != "127.0.0.1:8080" || c.Policy != "default" || c.Log.Format != "text" ||
		!strings.HasPrefix(c.DatabaseURL, "sqlite:///") || !strings.HasSuffix(c.DatabaseURL, "/data/paydesk.db") ||
		c.JWT.Leeway != 30*time.Second || c.Limits.Body != 1<<20 {
		t.Fatalf("%+v", c)
	}
}

func TestProduction(t *testing.T) {
	c, err := with(t, "PAYDESK_LISTEN=:80\nPAYDESK_REDIS_URL=redis://dotenv:6379\n",
		"PAYDESK_DATABASE_URL", "mysql://u:p@db:3306/pay", "PAYDESK_LISTEN", "0.0.0.0:8443",
		"PAYDESK_JWT_JWKS_URL", "https://id.example/keys", "PAYDESK_ALLOWED_ORIGINS", " https://A.example , https://b.example:8443/")
	if err != nil {
		t.Fatal(err)
	}
	if c.Dev || c.Embedded || c.Log.Format != "json" || c.RedisURL != "redis://dotenv:6379" || c.Listen != "0.0.0.0:8443" ||
		strings.Join(c.Origins, " ") != "https://a.example https://b.example:8443" {
		t.Fatalf("%+v", c)
	}
}

func TestTrustedProxies(t *testing.T) {
	c, err := with(t, "", "PAYDESK_TRUSTED_PROXIES", "10.1.2.3/8, 192.0.2.7,fd00::/8,::ffff:192.0.2.8")
	if err != nil || fmt.Sprint(c.Rates.Proxies) != "[10.0.0.0/8 192.0.2.7/32 fd00::/8 192.0.2.8/32]" {
		t.Fatal(c, err)
	}
}

// Keys may come without TLS from this very machine alone.
func TestKeysFromThisMachine(t *testing.T) {
	for _, u := range []string{"http://127.0.0.1:9000/keys", "http://localhost/keys", "http://[::1]:9000/keys"} {
		if _, err := with(t, "", "PAYDESK_DEV", "false", "PAYDESK_JWT_JWKS_URL", u); err != nil {
			t.Error(err)
		}
	}
	for _, u := range []string{"http://127.0.0.1.example:9000/keys", "http://10.0.0.1:9000/keys", "ftp://127.0.0.1/keys", "file:///keys"} {
		if _, err := with(t, "", "PAYDESK_DEV", "false", "PAYDESK_JWT_JWKS_URL", u); err == nil {
			t.Error(u, "is believed")
		}
	}
}

// `migrate` and `audit` run where the database is, without the rest of a production's configuration.
func TestDataAlone(t *testing.T) {
	c, err := loaded(t, (*Config).settleData, "", "PAYDESK_DATABASE_URL", "mysql://u:p@db:3306/pay", "PAYDESK_LISTEN", ":80")
	if err != nil || c.Dev || c.Embedded || c.Log.Format != "json" {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := loaded(t, (*Config).settleData, "", "PAYDESK_DATABASE_URL", "postgres://h/x"); err == nil {
		t.Fatal("accepted")
	}
}

func TestWrongValuesAreToldInOneLine(t *testing.T) {
	const mysql, jwks = "mysql://u:s3cret@db/pay", "https://id.example/keys"
	for _, c := range []struct {
		variable string
		pairs    []string
	}{
		{"PAYDESK_LISTEN", []string{"PAYDESK_LISTEN", "8080"}},
		{"PAYDESK_LISTEN", []string{"PAYDESK_LISTEN", "host:http"}},
		{"PAYDESK_PUBLIC_URL", []string{"PAYDESK_PUBLIC_URL", "https://x.example/path"}},
		{"PAYDESK_RETURN_URLS", []string{"PAYDESK_RETURN_URLS", "x.example"}},
		{"PAYDESK_ALLOWED_ORIGINS", []string{"PAYDESK_ALLOWED_ORIGINS", "*"}},
		{"PAYDESK_DATABASE_URL", []string{"PAYDESK_DATABASE_URL", "postgres://u:s3cret@h/x"}},
		{"PAYDESK_DATABASE_URL", []string{"PAYDESK_DATABASE_URL", "mysql://u:s3cret@h"}},
		{"PAYDESK_DATABASE_URL", []string{"PAYDESK_DATABASE_URL", "u:s3cret@h/x"}},
		{"PAYDESK_DATABASE_URL", []string{"PAYDESK_DATABASE_URL", "sqlite://relative"}},
		{"PAYDESK_REDIS_URL", []string{"PAYDESK_REDIS_URL", "redis://:s3cret@h:port"}},
		{"PAYDESK_REDIS_URL", []string{"PAYDESK_DATABASE_URL", mysql, "PAYDESK_JWT_JWKS_URL", jwks}},
		{"PAYDESK_DEV", []string{"PAYDESK_DEV", "perhaps"}},
		{"PAYDESK_DEV", []string{"PAYDESK_LISTEN", "0.0.0.0:80"}},
		{"PAYDESK_DEV", []string{"PAYDESK_LISTEN", ":80"}},
		{"PAYDESK_JWT_JWKS_URL", []string{"PAYDESK_DEV", "false"}},
		{"PAYDESK_JWT_JWKS_URL", []string{"PAYDESK_DEV", "false", "PAYDESK_JWT_JWKS_URL", "http://id.example/keys"}},
		{"PAYDESK_JWT_KEY_FILE", []string{"PAYDESK_JWT_KEY_FILE", "/not/there.pem"}},
		{"PAYDESK_JWT_KEY_FILE", []string{"PAYDESK_JWT_KEY_FILE", "/x.pem", "PAYDESK_JWT_JWKS_URL", jwks}},
		{"PAYDESK_JWT_LEEWAY", []string{"PAYDESK_JWT_LEEWAY", "1h"}},
		{"PAYDESK_LIMIT_TOKENS", []string{"PAYDESK_LIMIT_TOKENS", "many"}},
		{"PAYDESK_TRUSTED_PROXIES", []string{"PAYDESK_TRUSTED_PROXIES", "10.0.0.0/8, 10.0.0.0/33"}},
		{"PAYDESK_TRUSTED_PROXIES", []string{"PAYDESK_TRUSTED_PROXIES", "proxy.example"}},
		{"PAYDESK_RATE_USER", []string{"PAYDESK_RATE_USER", "0"}},
		{"PAYDESK_SLOW_OPERATION", []string{"PAYDESK_SLOW_OPERATION", "soon"}},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4317"}},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}},
		{"OTEL_TRACES_EXPORTER", []string{"OTEL_TRACES_EXPORTER", "zipkin"}},
		{"OTEL_TRACES_SAMPLER", []string{"OTEL_TRACES_SAMPLER", "sometimes"}},
		{"OTEL_TRACES_SAMPLER_ARG", []string{"OTEL_TRACES_SAMPLER_ARG", "2"}},
		{"OTEL_PROPAGATORS", []string{"OTEL_PROPAGATORS", "tracecontext,b3"}},
		{"OTEL_RESOURCE_ATTRIBUTES", []string{"OTEL_RESOURCE_ATTRIBUTES", "a=b,nothing"}},
		{"PAYDESK_LOG_LEVEL", []string{"PAYDESK_LOG_LEVEL", "loud"}},
		{"PAYDESK_SEALING_KEY", []string{"PAYDESK_SEALING_KEY", "s3cret"}},
		{"PAYDESK_SEALING_KEY", []string{"PAYDESK_SEALING_KEY", "AAAA"}},
		{"PAYDESK_RATE_CODES", []string{"PAYDESK_RATE_CODES", "0"}},
		{"PAYDESK_SMTP_ADDRESS", []string{"PAYDESK_SMTP_ADDRESS", "smtp.example.com", "PAYDESK_SMTP_FROM", "a@example.com"}},
		{"PAYDESK_SMTP_FROM", []string{"PAYDESK_SMTP_ADDRESS", "smtp.example.com:587"}},
		{"PAYDESK_SMTP_FROM", []string{"PAYDESK_SMTP_ADDRESS", "smtp.example.com:587", "PAYDESK_SMTP_FROM", "nobody"}},
		{"PAYDESK_SMTP_TLS", []string{"PAYDESK_SMTP_TLS", "perhaps"}},
		{"PAYDESK_SMTP_TLS", []string{"PAYDESK_SMTP_ADDRESS", "smtp.example.com:25", "PAYDESK_SMTP_FROM", "a@example.com", "PAYDESK_SMTP_TLS", "none", "PAYDESK_SMTP_USER", "u"}},
		{"PAYDESK_SMTP_USER", []string{"PAYDESK_SMTP_ADDRESS", "smtp.example.com:25", "PAYDESK_SMTP_FROM", "a@example.com", "PAYDESK_SMTP_PASSWORD", "s3cret"}},
		{"PAYDESK_SMTP_TIMEOUT", []string{"PAYDESK_SMTP_TIMEOUT", "1h"}},
		{"PAYDESK_SMS_URL", []string{"PAYDESK_SMS_URL", "ftp://sms.example.com"}},
		{"PAYDESK_SMS_URL", []string{"PAYDESK_SMS_URL", "https://"}},
		{"PAYDESK_SMS_SECRET", []string{"PAYDESK_SMS_URL", "https://sms.example.com/hook", "PAYDESK_SMS_SECRET", "s3cret"}},
		{"PAYDESK_SMS_SECRET", []string{"PAYDESK_SMS_URL", "https://sms.example.com/hook"}},
		{"PAYDESK_SMS_SECRET", []string{"PAYDESK_SMS_SECRET", "s3cret"}},
		{"PAYDESK_SMS_URL", []string{"PAYDESK_SMS_SECRET", "s3cret-of-16-signs-or-more"}},
		{"PAYDESK_ALIPAY_PRIVATE_KEY_FILE", []string{"PAYDESK_ALIPAY_PRIVATE_KEY_FILE", "/not/there"}},
		{"PAYDESK_WECHAT_APIV3_KEY", []string{"PAYDESK_WECHAT_APIV3_KEY", "s3cret"}},
		{"PAYDESK_STRIPE_PUBLISHABLE_KEY", []string{"PAYDESK_STRIPE_PUBLISHABLE_KEY", "sk_live_s3cret"}},
		{"PAYDESK_STRIPE_SECRET_KEY", []string{"PAYDESK_STRIPE_SECRET_KEY", "pk_live_s3cret"}},
		{"PAYDESK_STRIPE_WEBHOOK_SECRET", []string{"PAYDESK_STRIPE_WEBHOOK_SECRET", "s3cret"}},
		{"PAYDESK_STRIPE_CARD_FIELD_URL", []string{"PAYDESK_STRIPE_CARD_FIELD_URL", "javascript:alert"}},
		{"PAYDESK_WECHAT_APP_ID", []string{"PAYDESK_WECHAT_MCH_ID", "190000", "PAYDESK_WECHAT_CERTIFICATE_SERIAL", "1", "PAYDESK_WECHAT_PUBLIC_KEY_ID", "1",
			"PAYDESK_WECHAT_PRIVATE_KEY_FILE", "config.go", "PAYDESK_WECHAT_PUBLIC_KEY_FILE", "config.go", "PAYDESK_WECHAT_APIV3_KEY", strings.Repeat("k", 32)}},
	} {
		_, err := with(t, "", c.pairs...)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%v: %v", c.pairs, err)
			continue
		}
		if e.Variable != c.variable || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "s3cret") || e.Wants == "" {
			t.Errorf("%v: %q", c.pairs, err)
		}
	}
}

func TestDotenvThatIsNone(t *testing.T) {
	_, err := with(t, "PAYDESK_X='s3cret\n")
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Fatal(err)
	}
}

func TestUnknownVariables(t *testing.T) {
	c, err := with(t, "PAYDESK_POLCY=x\n", "PAYDESK_LISTN", ":1", "PAYDESK_TEST_REDIS_URL", "redis://x", "HOME", "/")
	if err != nil || strings.Join(c.Unknown, " ") != "PAYDESK_LISTN PAYDESK_POLCY" {
		t.Fatal(c.Unknown, err)
	}
}

func TestDocIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Doc() {
		if v.Name == "" || v.Doc == "" || !strings.HasSuffix(v.Doc, ".") || seen[v.Name] {
			t.Errorf("%+v", v)
		}
		seen[v.Name] = true
	}
	for _, name := range []string{"PAYDESK_LISTEN", "PAYDESK_JWT_LEEWAY", "PAYDESK_WECHAT_APIV3_KEY", "PAYDESK_TEST_REDIS_URL"} {
		if !seen[name] {
			t.Error(name)
		}
	}
}

// OpenTelemetry's SDK reads the environment by itself: what stands in .env reaches it, and what is set stands above it.
func TestTraces(t *testing.T) {
	t.Setenv("OTEL_SERVICE_NAME", "")
	c, err := with(t, "OTEL_SERVICE_NAME=desk\nOTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1\n", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
	if err != nil || !c.Trace.On() || c.Trace.Endpoint != "http://127.0.0.1:4318" || os.Getenv("OTEL_SERVICE_NAME") != "desk" {
		t.Fatal(c, err, os.Getenv("OTEL_SERVICE_NAME"))
	}
	for _, off := range [][]string{{}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1", "OTEL_SDK_DISABLED", "true"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1", "OTEL_TRACES_EXPORTER", "none"}} {
		if c, err := with(t, "", off...); err != nil || c.Trace.On() {
			t.Error(off, err)
		}
	}
}
