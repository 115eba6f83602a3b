// Package config reads the configuration: environment variables, a .env file beneath them, and the rules that hold
// between them. Config's tags are the one table of all variables; Doc prints it.
package config

import (
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// Config is the whole configuration, checked. Durations are of the wall clock.
type Config struct {
	Listen       string   `env:"PAYDESK_LISTEN" default:"127.0.0.1:8080" doc:"Address to listen on, host:port; port 0 takes a free one."`
	PublicURL    string   `env:"PAYDESK_PUBLIC_URL" doc:"Where people and providers reach us: notification, return, file and sandbox addresses are built from it. Default: the address really listened on."`
	DataDir      string   `env:"PAYDESK_DATA_DIR" default:"./data" doc:"Folder of the embedded database and of files."`
	DatabaseURL  string   `env:"PAYDESK_DATABASE_URL" secret:"url" doc:"sqlite:///path or mysql://user:password@host:3306/name. Default: SQLite in PAYDESK_DATA_DIR."`
	RedisURL     string   `env:"PAYDESK_REDIS_URL" secret:"url" doc:"redis://user:password@host:6379/0, or several addresses of a cluster: redis://a:6379,b:6379. Default: inside the process."`
	Policy       string   `env:"PAYDESK_POLICY" default:"default" doc:"The vendor's rules: default, pingan, tencent, alibaba-intl, huawei, or the path of a YAML file."`
	Dev          bool     `env:"PAYDESK_DEV" doc:"Development: mounts /dev, /sandbox and /graphiql and seeds demo data. Default: true with SQLite, false otherwise; must be said where PAYDESK_LISTEN is not loopback."`
	ReturnURLs   []string `env:"PAYDESK_RETURN_URLS" doc:"Origins that returnUrl may point to, separated by commas. Default: the public URL's alone."`
	Origins      []string `env:"PAYDESK_ALLOWED_ORIGINS" doc:"Origins of pages that may call /graphql across sites (CORS) and open WebSockets, separated by commas. Default: the same origin alone."`
	SealingKey   string   `env:"PAYDESK_SEALING_KEY" secret:"yes" doc:"Key of 32 bytes in base64 (openssl rand -base64 32) that seals authenticator apps' secrets and hashes verification codes in the database. Empty: one that is made at the first start and lies in the database itself, so that whoever copies all of it can open them. With another key apps must be bound anew."`
	MetricsToken string   `env:"PAYDESK_METRICS_TOKEN" secret:"yes" doc:"Bearer token wanted at /metrics. Empty: everybody who reaches us can read it; then keep the path from the outside at the proxy."`

	JWT       JWT
	Database  Database
	HTTP      HTTP
	Limits    Limits
	Persisted Persisted
	Rates     Rates
	Mail      Mail
	SMS       SMS
	Log       Log
	Trace     Trace
	Alipay    Alipay
	WeChat    WeChat
	UnionPay  UnionPay
	QQ        QQ
	Tenpay    Tenpay
	Huawei    Huawei
	Stripe    Stripe
	PayPal    PayPal

	// Embedded is true where the data lives in this process: SQLite.
	Embedded bool
	// Unknown lists variables that begin with PAYDESK_ and mean nothing: typing errors, to be warned of.
	Unknown []string
}

// JWT says which tokens are believed.
type JWT struct {
	JWKSURL  string        `env:"PAYDESK_JWT_JWKS_URL" doc:"Keys of the identity provider (RFC 7517). This or PAYDESK_JWT_KEY_FILE is required in production."`
	KeyFile  string        `env:"PAYDESK_JWT_KEY_FILE" doc:"Or one public key, a PEM file: RSA, EC P-256 or Ed25519."`
	Issuer   string        `env:"PAYDESK_JWT_ISSUER" doc:"Wanted iss of tokens. Empty: any."`
	Audience string        `env:"PAYDESK_JWT_AUDIENCE" doc:"Wanted aud of tokens. Empty: any."`
	Leeway   time.Duration `env:"PAYDESK_JWT_LEEWAY" default:"30s" min:"0s" max:"5m" doc:"Clock skew allowed on exp and nbf; tokens of /dev/token end to the second."`
}

// Database sizes the pools.
type Database struct {
	Pool     int           `env:"PAYDESK_DATABASE_POOL" default:"64" min:"1" max:"1000" doc:"Most connections to MySQL in each of two pools, one for transactions and one for the rest; at least the requests that run at once."`
	Readers  int           `env:"PAYDESK_DATABASE_READERS" default:"4" min:"1" max:"64" doc:"Reading connections to SQLite."`
	LockWait time.Duration `env:"PAYDESK_DATABASE_LOCK_WAIT" default:"5s" min:"1s" max:"50s" doc:"How long a statement waits for a row that another holds."`
}

// HTTP bounds what a slow or silent peer can hold.
type HTTP struct {
	HeaderTimeout    time.Duration `env:"PAYDESK_HTTP_HEADER_TIMEOUT" default:"5s" min:"100ms" max:"1m" doc:"Time to send the headers of a request."`
	BodyTimeout      time.Duration `env:"PAYDESK_HTTP_BODY_TIMEOUT" default:"15s" min:"100ms" max:"5m" doc:"Time to send the body of a request."`
	UploadTimeout    time.Duration `env:"PAYDESK_HTTP_UPLOAD_TIMEOUT" default:"2m" min:"100ms" max:"30m" doc:"Time to send a multipart request with its files; ten megabytes over a phone's line take a while."`
	WriteTimeout     time.Duration `env:"PAYDESK_HTTP_WRITE_TIMEOUT" default:"15s" min:"100ms" max:"5m" doc:"Time to take an answer, or one frame of a subscription."`
	IdleTimeout      time.Duration `env:"PAYDESK_HTTP_IDLE_TIMEOUT" default:"75s" min:"1s" max:"1h" doc:"How long an idle connection is kept."`
	OperationTimeout time.Duration `env:"PAYDESK_OPERATION_TIMEOUT" default:"20s" min:"100ms" max:"5m" doc:"Time of one query or mutation."`
	InitTimeout      time.Duration `env:"PAYDESK_SOCKET_INIT_TIMEOUT" default:"10s" min:"100ms" max:"1m" doc:"Time to send connection_init on a new WebSocket."`
	DrainTimeout     time.Duration `env:"PAYDESK_DRAIN_TIMEOUT" default:"12s" min:"1s" max:"14s" doc:"After SIGTERM, how long running requests may take to end."`
	PingInterval     time.Duration `env:"PAYDESK_PING_INTERVAL" default:"20s" min:"1s" max:"5m" doc:"How often a subscription's connection shows that it lives; a socket that stays silent for two is closed."`
}

// Limits of one request, of one socket and of one user's sockets. They hold alike on every transport.
type Limits struct {
	Body        int `env:"PAYDESK_LIMIT_BODY" default:"1048576" min:"1024" max:"16777216" doc:"Bytes of a request's body, and of a socket's message. What is above 16 KiB shares 128 MiB with all that is being read; more is UNAVAILABLE for the moment."`
	Multipart   int `env:"PAYDESK_LIMIT_MULTIPART" default:"11534336" min:"1024" max:"134217728" doc:"Bytes of a multipart request as a whole."`
	File        int `env:"PAYDESK_LIMIT_FILE" default:"10485760" min:"1" max:"134217728" doc:"Bytes of one uploaded file."`
	Files       int `env:"PAYDESK_LIMIT_FILES" default:"10" min:"1" max:"100" doc:"Files of one multipart request."`
	Uploads     int `env:"PAYDESK_LIMIT_UPLOADS" default:"1073741824" min:"1048576" max:"1099511627776" doc:"Bytes of files that all requests of one instance together may be uploading; more are UNAVAILABLE for the moment. One user may send as many multipart requests at once as fit into an eighth. What is larger than 1 MiB lies in TMPDIR."`
	Tokens      int `env:"PAYDESK_LIMIT_TOKENS" default:"2000" min:"100" max:"20000" doc:"Tokens of a GraphQL document."`
	Depth       int `env:"PAYDESK_LIMIT_DEPTH" default:"15" min:"5" max:"100" doc:"Levels of a GraphQL document, introspection included; of inline fragments and values in each other, too."`
	Aliases     int `env:"PAYDESK_LIMIT_ALIASES" default:"50" min:"1" max:"1000" doc:"Aliases in a GraphQL document."`
	Fragments   int `env:"PAYDESK_LIMIT_FRAGMENTS" default:"100" min:"1" max:"1000" doc:"Fragments of a GraphQL document, and spreads of them."`
	Fields      int `env:"PAYDESK_LIMIT_FIELDS" default:"5000" min:"100" max:"100000" doc:"Fields of a document's operations with their fragments unfolded."`
	Directives  int `env:"PAYDESK_LIMIT_DIRECTIVES" default:"50" min:"1" max:"1000" doc:"Directives in a GraphQL document."`
	Complexity  int `env:"PAYDESK_LIMIT_COMPLEXITY" default:"10000" min:"100" max:"1000000" doc:"Cost of an operation: fields, times the page size beneath lists."`
	Errors      int `env:"PAYDESK_LIMIT_ERRORS" default:"20" min:"1" max:"1000" doc:"Errors told in one answer; that there were more is said."`
	Refusal     int `env:"PAYDESK_LIMIT_REFUSAL" default:"32768" min:"1024" max:"1048576" doc:"Bytes of the errors of one answer."`
	Operations  int `env:"PAYDESK_LIMIT_SOCKET_OPERATIONS" default:"50" min:"1" max:"1000" doc:"Operations at once on one socket; as many again may be ending, which the client has completed."`
	Sockets     int `env:"PAYDESK_LIMIT_SOCKETS" default:"50" min:"1" max:"100000" doc:"WebSockets and event streams of one user at once, in one instance; of one address where nobody has signed in."`
	Connections int `env:"PAYDESK_LIMIT_CONNECTIONS" default:"20000" min:"10" max:"1000000" doc:"Connections at once in one instance; idle ones make room for more, which wait otherwise. One peer that is no trusted proxy has half of them at most."`
	QueryCache  int `env:"PAYDESK_QUERY_CACHE" default:"1000" min:"10" max:"100000" doc:"Parsed documents kept."`
}

// Persisted says which documents are known by their hash, and whether others run at all.
type Persisted struct {
	Only      bool          `env:"PAYDESK_PERSISTED_ONLY" doc:"Only registered documents run; automatic persisting is off."`
	Documents string        `env:"PAYDESK_PERSISTED_DOCUMENTS" file:"yes" doc:"A manifest of registered documents beside those of our own page and tests: Apollo's format, or an object of SHA-256 to text (Relay, GraphQL code generator)."`
	TTL       time.Duration `env:"PAYDESK_PERSISTED_TTL" default:"24h" min:"1m" max:"720h" doc:"How long Redis keeps an automatically persisted document that nobody asks for."`
	Cache     int           `env:"PAYDESK_PERSISTED_CACHE" default:"1000" min:"10" max:"100000" doc:"Automatically persisted documents kept in the process."`
}

// Rates bound how often somebody may ask, all instances together: operations a minute, where a whole minute's worth may come at
// once. In development all but guesses are a hundred times wider (contract §6).
type Rates struct {
	User    int            `env:"PAYDESK_RATE_USER" default:"3000" min:"1" max:"1000000000" doc:"Operations a minute of one user, a hundred times as many in development, as with all rates but guesses; of one address where nobody is signed in. A SERVICE has a hundred times as many, and mutations."`
	Account int            `env:"PAYDESK_RATE_ACCOUNT" default:"12000" min:"1" max:"1000000000" doc:"Operations a minute of all users of one account."`
	Money   int            `env:"PAYDESK_RATE_MONEY" default:"120" min:"1" max:"1000000000" doc:"Mutations a minute of one user; each root field of a document counts."`
	SignIn  int            `env:"PAYDESK_RATE_SIGN_IN" default:"60" min:"1" max:"1000000000" doc:"Refused tokens a minute of one address; then its tokens are not looked at."`
	Guesses int            `env:"PAYDESK_RATE_GUESSES" default:"10" min:"1" max:"1000000" doc:"Wrong codes of one kind within any hour of one account, verification codes of one account and person; development does not widen it."`
	Codes   int            `env:"PAYDESK_RATE_CODES" default:"20" min:"1" max:"1000000" doc:"Verification codes sent for one account within any 24 hours."`
	Proxies []netip.Prefix `env:"PAYDESK_TRUSTED_PROXIES" doc:"Networks (CIDR) or addresses of proxies whose X-Forwarded-For is believed, separated by commas. Default: none; the address is the connection's."`
}

// Mail says which server takes e-mails to customers; without an address they are kept and not sent.
type Mail struct {
	Address  string        `env:"PAYDESK_SMTP_ADDRESS" doc:"Mail server that takes e-mails to customers, host:port. Empty: they are kept and not sent; in development /dev/messages shows them."`
	TLS      string        `env:"PAYDESK_SMTP_TLS" default:"starttls" oneof:"starttls,tls,none" doc:"starttls (always, usually port 587), tls (from the start, usually 465) or none (a relay on the same machine)."`
	User     string        `env:"PAYDESK_SMTP_USER" doc:"Name to sign in with there. Empty: nobody signs in."`
	Password string        `env:"PAYDESK_SMTP_PASSWORD" secret:"yes" doc:"Password to sign in with."`
	From     string        `env:"PAYDESK_SMTP_FROM" doc:"Sender of the e-mails: an address, or a name and an address as in Billing <billing@example.com>."`
	Timeout  time.Duration `env:"PAYDESK_SMTP_TIMEOUT" default:"15s" min:"1s" max:"1m" doc:"Time for one e-mail."`
}

// SMS says who takes text messages to customers; without a URL they are kept and not sent.
type SMS struct {
	URL     string        `env:"PAYDESK_SMS_URL" secret:"url" doc:"Where text messages to customers are posted as JSON, signed (docs/notifications.md). Empty: they are kept and not sent; in development /dev/messages shows them."`
	Secret  string        `env:"PAYDESK_SMS_SECRET" secret:"yes" doc:"Key that signs what is posted there, at least 16 characters; needed with PAYDESK_SMS_URL, and set with it alone."`
	Timeout time.Duration `env:"PAYDESK_SMS_TIMEOUT" default:"10s" min:"100ms" max:"1m" doc:"Time for one text message."`
}

// Log says what is logged and how.
type Log struct {
	Level  string `env:"PAYDESK_LOG_LEVEL" default:"info" oneof:"debug,info,warn,error" doc:"debug, info, warn or error. debug has a line for every request."`
	Format string `env:"PAYDESK_LOG_FORMAT" oneof:"json,text" doc:"json or text. Default: text in development, json otherwise."`
	// Slow is when an operation is worth a line in the log.
	Slow time.Duration `env:"PAYDESK_SLOW_OPERATION" default:"1s" min:"1ms" max:"5m" doc:"A query or mutation that takes as long is logged with its name, never with its variables."`
}

// Trace are the variables of OpenTelemetry (its specification, "Environment Variable Specification") that decide what is traced and
// where it goes. Others that say how, such as OTEL_EXPORTER_OTLP_CERTIFICATE, are read by the exporter itself.
type Trace struct {
	Endpoint       string   `env:"OTEL_EXPORTER_OTLP_ENDPOINT" secret:"url" doc:"Collector of OpenTelemetry traces over OTLP/HTTP, such as http://127.0.0.1:4318; /v1/traces is added. Empty: nothing is traced."`
	TracesEndpoint string   `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" secret:"url" doc:"The same for traces alone, a whole URL with its path."`
	Headers        string   `env:"OTEL_EXPORTER_OTLP_HEADERS" secret:"yes" doc:"Headers for the collector, name=value, separated by commas. Other OTEL_EXPORTER_OTLP_ variables are heeded too."`
	Protocol       string   `env:"OTEL_EXPORTER_OTLP_PROTOCOL" default:"http/protobuf" oneof:"http/protobuf" doc:"The one that is spoken."`
	Exporter       string   `env:"OTEL_TRACES_EXPORTER" default:"otlp" oneof:"otlp,none" doc:"otlp, or none: nothing is traced."`
	Disabled       bool     `env:"OTEL_SDK_DISABLED" doc:"true: nothing is traced."`
	Service        string   `env:"OTEL_SERVICE_NAME" default:"paydesk" doc:"Name of the service in traces."`
	Attributes     string   `env:"OTEL_RESOURCE_ATTRIBUTES" doc:"More that each trace says of this instance, name=value, separated by commas."`
	Sampler        string   `env:"OTEL_TRACES_SAMPLER" default:"parentbased_always_on" oneof:"always_on,always_off,traceidratio,parentbased_always_on,parentbased_always_off,parentbased_traceidratio" doc:"Which requests are traced. With parentbased_ a caller's traceparent decides first: for callers that are trusted."`
	SamplerArg     string   `env:"OTEL_TRACES_SAMPLER_ARG" doc:"Part of the requests that the ratio samplers trace, 0 to 1. Empty: 1."`
	Propagators    []string `env:"OTEL_PROPAGATORS" default:"tracecontext,baggage" doc:"How a request names the trace it belongs to: tracecontext, baggage, or none."`
	Queue          int      `env:"OTEL_BSP_MAX_QUEUE_SIZE" default:"2048" min:"1" max:"1000000" doc:"Spans that wait for the collector; more are lost."`
	Batch          int      `env:"OTEL_BSP_MAX_EXPORT_BATCH_SIZE" default:"512" min:"1" max:"1000000" doc:"Spans sent at once."`
	Delay          int      `env:"OTEL_BSP_SCHEDULE_DELAY" default:"5000" min:"1" max:"3600000" doc:"Milliseconds until a batch that is not full is sent."`
	Timeout        int      `env:"OTEL_BSP_EXPORT_TIMEOUT" default:"30000" min:"1" max:"3600000" doc:"Milliseconds that sending a batch may take."`
}

// On reports whether anything is traced.
func (t Trace) On() bool {
	return !t.Disabled && t.Exporter == "otlp" && (t.Endpoint != "" || t.TracesEndpoint != "")
}

// Loopback reports whether nobody but this machine can reach the address (host:port).
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func sqliteIn(dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, "paydesk.db"))
	return "sqlite://" + filepath.ToSlash(path), err
}

// origin gives scheme://host[:port] of a text that is exactly that, lower case; ok is false for anything else.
func origin(text string) (string, bool) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	return strings.ToLower(u.Scheme + "://" + u.Host), true
}
