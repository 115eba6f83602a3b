package config

import (
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/joho/godotenv"

	"paydesk/internal/platform/redisx"
)

// Load reads the environment, and beneath it ./.env where there is one, and checks it. The error is an *Error: one line.
func Load() (*Config, error) { return load(".env", os.LookupEnv, os.Environ(), (*Config).settle) }

// LoadData is Load for commands that touch the database and nothing else: they want no Redis and no keys.
func LoadData() (*Config, error) {
	return load(".env", os.LookupEnv, os.Environ(), (*Config).settleData)
}

func load(dotenv string, lookup func(string) (string, bool), environ []string, settle func(*Config, func(string) string) error) (*Config, error) {
	file, err := godotenv.Read(dotenv)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{dotenv, "cannot be read", "lines of NAME=value"} // the parser's text may quote a secret
	}
	get := func(name string) string {
		if v, ok := lookup(name); ok {
			return v
		}
		return file[name]
	}
	c := &Config{}
	if err := parse(c, get); err != nil {
		return nil, err
	}
	for name, value := range file { // OpenTelemetry's SDK reads the environment by itself
		if _, ok := lookup(name); !ok && strings.HasPrefix(name, "OTEL_") {
			if err := os.Setenv(name, value); err != nil {
				return nil, err
			}
		}
	}
	c.Unknown = unknown(file, environ)
	return c, settle(c, get)
}

func (c *Config) settleData(get func(string) string) error {
	if err := c.settleStores(get); err != nil {
		return err
	}
	c.settleDefaults(get)
	return nil
}

// settle fills the defaults that depend on others and checks what holds between variables.
func (c *Config) settle(get func(string) string) error {
	for _, check := range []func(get func(string) string) error{
		c.settleAddresses, c.settleStores, c.settleDev, c.settleTokens, c.settleTraces, c.settleChannels, c.settleMessages,
	} {
		if err := check(get); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) settleAddresses(func(string) string) error {
	host, port, err := net.SplitHostPort(c.Listen)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 || strings.ContainsAny(host, "/@ ") {
		return &Error{"PAYDESK_LISTEN", quote(c.Listen), "host:port, such as 127.0.0.1:8080 or :8080"}
	}
	if c.PublicURL != "" {
		o, ok := origin(c.PublicURL)
		if !ok {
			return &Error{"PAYDESK_PUBLIC_URL", quote(maskURL(c.PublicURL)), "http:// or https:// with a host and nothing after it"}
		}
		c.PublicURL = o
	}
	for name, list := range map[string][]string{"PAYDESK_RETURN_URLS": c.ReturnURLs, "PAYDESK_ALLOWED_ORIGINS": c.Origins} {
		for i, text := range list {
			o, ok := origin(text)
			if !ok {
				return &Error{name, "has " + strconv.Quote(maskURL(text)), "origins such as https://console.example.com, separated by commas"}
			}
			list[i] = o
		}
	}
	return nil
}

func (c *Config) settleStores(func(string) string) error {
	const wants = "sqlite:///path or mysql://user:password@host:3306/name"
	if c.DatabaseURL == "" {
		u, err := sqliteIn(c.DataDir)
		if err != nil {
			return &Error{"PAYDESK_DATA_DIR", quote(c.DataDir), "a folder"}
		}
		c.DatabaseURL = u
	}
	scheme, rest, _ := strings.Cut(c.DatabaseURL, "://")
	switch {
	case scheme == "sqlite" && len(rest) > 1 && rest[0] == '/':
		c.Embedded = true
	case scheme == "mysql":
		if u, err := url.Parse(c.DatabaseURL); err != nil || u.Hostname() == "" || len(u.Path) < 2 {
			return &Error{"PAYDESK_DATABASE_URL", quote(maskURL(c.DatabaseURL)), wants}
		}
	default:
		return &Error{"PAYDESK_DATABASE_URL", quote(maskURL(c.DatabaseURL)), wants}
	}
	if err := redisx.Check(c.RedisURL); err != nil {
		return &Error{"PAYDESK_REDIS_URL", quote(maskURL(c.RedisURL)), err.Error()}
	}
	return nil
}

func (c *Config) settleDev(get func(string) string) error {
	if said := c.settleDefaults(get); !said && c.Dev && !Loopback(c.Listen) {
		return &Error{"PAYDESK_DEV", "is not set",
			"others can reach " + c.Listen + ", so say true (anybody may sign in as anybody) or false"}
	}
	if !c.Dev && !c.Embedded && c.RedisURL == "" {
		return &Error{"PAYDESK_REDIS_URL", "is not set", "with MySQL outside development several instances share a redis://host:6379"}
	}
	return nil
}

// settleDefaults fills what depends on the home of the data; said reports whether PAYDESK_DEV is set.
func (c *Config) settleDefaults(get func(string) string) (said bool) {
	said = strings.TrimSpace(get("PAYDESK_DEV")) != ""
	if !said {
		c.Dev = c.Embedded
	}
	if c.Log.Format == "" {
		c.Log.Format = "json"
		if c.Dev {
			c.Log.Format = "text"
		}
	}
	return said
}

func (c *Config) settleTokens(func(string) string) error {
	j := c.JWT
	switch {
	case j.JWKSURL != "" && j.KeyFile != "":
		return &Error{"PAYDESK_JWT_KEY_FILE", quote(j.KeyFile), "not together with PAYDESK_JWT_JWKS_URL; set one"}
	case j.JWKSURL == "" && j.KeyFile == "":
		if !c.Dev {
			return &Error{"PAYDESK_JWT_JWKS_URL", "is not set", "outside development tokens need this URL or PAYDESK_JWT_KEY_FILE"}
		}
	case j.KeyFile != "":
		if _, err := os.Stat(j.KeyFile); err != nil {
			return &Error{"PAYDESK_JWT_KEY_FILE", quote(j.KeyFile), "the path of a PEM file that can be read"}
		}
	default:
		u, err := url.Parse(j.JWKSURL)
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && (u.Scheme != "http" || !c.Dev && !Loopback(net.JoinHostPort(u.Hostname(), "0"))) {
			return &Error{"PAYDESK_JWT_JWKS_URL", quote(maskURL(j.JWKSURL)), "an https:// URL (http:// in development, or to this machine)"}
		}
	}
	return nil
}

// settleTraces: the SDK would go on without what it cannot read, and nobody would know why there are no traces.
func (c *Config) settleTraces(func(string) string) error {
	for name, text := range map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.Trace.Endpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.Trace.TracesEndpoint} {
		u, err := url.Parse(text)
		if text != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
			return &Error{name, quote(maskURL(text)), "an http:// or https:// URL"}
		}
	}
	if text := c.Trace.SamplerArg; text != "" {
		if ratio, err := strconv.ParseFloat(text, 64); err != nil || !(ratio >= 0 && ratio <= 1) {
			return &Error{"OTEL_TRACES_SAMPLER_ARG", quote(text), "a number from 0 to 1"}
		}
	}
	for _, name := range c.Trace.Propagators {
		if !slices.Contains([]string{"tracecontext", "baggage", "none"}, name) {
			return &Error{"OTEL_PROPAGATORS", "has " + strconv.Quote(name), "tracecontext, baggage or none, separated by commas"}
		}
	}
	for pair := range strings.SplitSeq(c.Trace.Attributes, ",") {
		if name, _, ok := strings.Cut(pair, "="); c.Trace.Attributes != "" && (!ok || strings.TrimSpace(name) == "") {
			return &Error{"OTEL_RESOURCE_ATTRIBUTES", "has " + strconv.Quote(pair), "name=value, separated by commas"}
		}
	}
	return nil
}

// settleChannels: a channel is configured whole or not at all.
func (c *Config) settleChannels(func(string) string) error {
	whole := func(switchedBy, on string, parts map[string]string) error {
		for name, value := range parts {
			if on != "" && value == "" {
				return &Error{name, "is not set", "needed where " + switchedBy + " is set"}
			}
		}
		return nil
	}
	if err := whole("PAYDESK_ALIPAY_APP_ID", c.Alipay.AppID, map[string]string{
		"PAYDESK_ALIPAY_SELLER_ID": c.Alipay.SellerID, "PAYDESK_ALIPAY_PRIVATE_KEY_FILE": c.Alipay.PrivateKey,
		"PAYDESK_ALIPAY_PUBLIC_KEY_FILE": c.Alipay.PublicKey}); err != nil {
		return err
	}
	w := c.WeChat
	if w.APIv3Key != "" && len(w.APIv3Key) != 32 {
		return &Error{"PAYDESK_WECHAT_APIV3_KEY", "is set (not shown)", "exactly 32 characters"}
	}
	if k := c.Stripe.PublishableKey; k != "" && !strings.HasPrefix(k, "pk_") { // it goes to every browser: a secret key must never stand here
		return &Error{"PAYDESK_STRIPE_PUBLISHABLE_KEY", "is set (not shown)", "a publishable key, pk_…"}
	}
	if k := c.Stripe.WebhookSecret; k != "" && !strings.HasPrefix(k, "whsec_") {
		return &Error{"PAYDESK_STRIPE_WEBHOOK_SECRET", "is set (not shown)", "a webhook's secret, whsec_…"}
	}
	if k := c.Stripe.SecretKey; k != "" && !strings.HasPrefix(k, "sk_") && !strings.HasPrefix(k, "rk_") {
		return &Error{"PAYDESK_STRIPE_SECRET_KEY", "is set (not shown)", "a secret key, sk_… or rk_…"}
	}
	if u, err := url.Parse(c.Stripe.CardFieldURL); err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return &Error{"PAYDESK_STRIPE_CARD_FIELD_URL", quote(c.Stripe.CardFieldURL), "an https:// URL"}
	}
	u, q, tp, h, st, pp := c.UnionPay, c.QQ, c.Tenpay, c.Huawei, c.Stripe, c.PayPal
	for _, channel := range []struct {
		switchedBy, on string
		parts          map[string]string
	}{
		{"PAYDESK_WECHAT_MCH_ID", w.MchID, map[string]string{"PAYDESK_WECHAT_APP_ID": w.AppID, "PAYDESK_WECHAT_CERTIFICATE_SERIAL": w.CertificateSerial,
			"PAYDESK_WECHAT_PRIVATE_KEY_FILE": w.PrivateKey, "PAYDESK_WECHAT_PUBLIC_KEY_ID": w.PublicKeyID,
			"PAYDESK_WECHAT_PUBLIC_KEY_FILE": w.PublicKey, "PAYDESK_WECHAT_APIV3_KEY": w.APIv3Key}},
		{"PAYDESK_UNIONPAY_MERCHANT_ID", u.MerchantID, map[string]string{"PAYDESK_UNIONPAY_KEYSTORE_FILE": u.Keystore,
			"PAYDESK_UNIONPAY_KEYSTORE_PASSWORD": u.KeystorePassword, "PAYDESK_UNIONPAY_ROOTS_FILE": u.Roots}},
		{"PAYDESK_QQ_MCH_ID", q.MchID, map[string]string{"PAYDESK_QQ_API_KEY": q.APIKey, "PAYDESK_QQ_CERTIFICATE_FILE": q.Certificate, "PAYDESK_QQ_PRIVATE_KEY_FILE": q.PrivateKey,
			"PAYDESK_QQ_OPERATOR": q.Operator, "PAYDESK_QQ_OPERATOR_PASSWORD": q.OperatorPass}},
		{"PAYDESK_TENPAY_PARTNER", tp.Partner, map[string]string{"PAYDESK_TENPAY_KEY": tp.Key, "PAYDESK_TENPAY_CERTIFICATE_FILE": tp.Certificate, "PAYDESK_TENPAY_PRIVATE_KEY_FILE": tp.PrivateKey,
			"PAYDESK_TENPAY_OPERATOR": tp.Operator, "PAYDESK_TENPAY_OPERATOR_PASSWORD": tp.OperatorPass}},
		{"PAYDESK_HUAWEI_MERCHANT_NUMBER", h.MerchantNumber, map[string]string{"PAYDESK_HUAWEI_APP_ID": h.AppID, "PAYDESK_HUAWEI_AUTH_ID": h.AuthID,
			"PAYDESK_HUAWEI_PRIVATE_KEY_FILE": h.PrivateKey, "PAYDESK_HUAWEI_PUBLIC_KEY_FILE": h.PublicKey, "PAYDESK_HUAWEI_PAGE_URL": h.PageURL}},
		{"PAYDESK_STRIPE_SECRET_KEY", st.SecretKey, map[string]string{"PAYDESK_STRIPE_PUBLISHABLE_KEY": st.PublishableKey, "PAYDESK_STRIPE_WEBHOOK_SECRET": st.WebhookSecret}},
		{"PAYDESK_PAYPAL_CLIENT_ID", pp.ClientID, map[string]string{"PAYDESK_PAYPAL_CLIENT_SECRET": pp.ClientSecret, "PAYDESK_PAYPAL_WEBHOOK_ID": pp.WebhookID,
			"PAYDESK_PAYPAL_MERCHANT_ID": pp.MerchantID}},
	} {
		if err := whole(channel.switchedBy, channel.on, channel.parts); err != nil {
			return err
		}
	}
	return nil
}

// unknown are PAYDESK_ variables that nobody reads. Those of tests and benchmarks are left alone.
func unknown(file map[string]string, environ []string) []string {
	known := map[string]bool{}
	for _, v := range Doc() {
		known[v.Name] = true
	}
	var out []string
	add := func(name string) {
		if strings.HasPrefix(name, "PAYDESK_") && !known[name] &&
			!strings.HasPrefix(name, "PAYDESK_TEST_") && !strings.HasPrefix(name, "PAYDESK_BENCH_") && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for name := range file {
		add(name)
	}
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		add(name)
	}
	slices.Sort(out)
	return out
}
