package paypal

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// owner is whose certificates sign notifications, signer how those are called that sign nothing else (PayPal's SDK for Java wants it).
const owner = ".paypal.com"

var signer = regexp.MustCompile(`^messageverificationcerts[a-z0-9.-]*\.paypal\.com$`)

const (
	keepGood = 12 * time.Hour // a certificate is fetched anew after that, and serves until it was
	keepBad  = time.Minute    // what could not be had or did not fit is not tried again before
	keepAll  = 64             // addresses that are remembered of each kind
	maxNew   = 30             // addresses that are fetched within keepBad and were no good so far: anybody can invent some
	maxChain = 64 << 10       // bytes of a certificate with its chain
)

// certificates gives the keys that sign notifications. The address comes with the notification, from anybody: only PayPal's hosts are
// asked, at the path of their certificates, and what they answer must be vouched for. What is asked for by several is fetched once, and
// whoever hangs up stops nobody's fetching.
type certificates struct {
	client *http.Client
	mode   guard.Mode
	hosts  []string
	path   *regexp.Regexp
	roots  *x509.CertPool
	strict bool // the roots, which were given to us, have to vouch for each certificate

	mu        sync.Mutex
	good, bad map[string]certified
	fetching  map[string]chan struct{} // closed when it was fetched
	fresh     int                      // of maxNew, since
	since     time.Time
}

// certified is what came of fetching a certificate; an error that is channel.ErrUnavailable says nothing of the certificate.
type certified struct {
	key   *rsa.PublicKey
	until time.Time // when it is to be fetched anew
	ends  time.Time // when it is worth nothing
	err   error
}

func newCertificates(c Config, base *url.URL, client *http.Client) (*certificates, error) {
	out := &certificates{client: client, mode: c.Mode, hosts: c.CertificateHosts, good: map[string]certified{}, bad: map[string]certified{}, fetching: map[string]chan struct{}{}}
	if len(out.hosts) == 0 {
		out.hosts = []string{"api.paypal.com", "api-m.paypal.com"}
		if c.Mode == guard.Sandbox || strings.Contains(base.Host, ".sandbox.") {
			out.hosts = []string{base.Host, strings.Replace(base.Host, "api-m.", "api.", 1)}
		}
	}
	out.path = regexp.MustCompile("^" + regexp.QuoteMeta(strings.TrimSuffix(base.Path, "/")) + "/v1/notifications/certs/[A-Za-z0-9_-]{1,100}$")
	var err error
	if out.roots, err = x509.SystemCertPool(); err != nil {
		out.roots = x509.NewCertPool()
	}
	if out.strict = c.Roots != "" || c.Mode != guard.Production; c.Roots != "" && !out.roots.AppendCertsFromPEM([]byte(c.Roots)) {
		return nil, errors.New("paypal: the roots are not certificates in PEM")
	}
	return out, nil
}

// key gives the public key of the certificate at an address.
func (c *certificates) key(ctx context.Context, address string) (*rsa.PublicKey, error) {
	u, err := guard.Follow(c.mode, address)
	if err != nil || !slices.Contains(c.hosts, u.Host) || !c.path.MatchString(u.Path) || u.RawQuery != "" || u.RawPath != "" {
		return nil, errors.New("the certificate's address is not PayPal's")
	}
	address = u.String()
	known, fetched, err := c.look(context.WithoutCancel(ctx), address)
	if err != nil || known.key != nil || known.err != nil {
		return known.key, errors.Join(err, known.err)
	}
	select {
	case <-fetched:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: paypal: the certificate is still being fetched", channel.ErrUnavailable)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known = c.known(address)
	if known.key == nil && known.err == nil { // so many came after it that it is forgotten
		known.err = fmt.Errorf("%w: paypal: too many certificates are asked for", channel.ErrUnavailable)
	}
	return known.key, known.err
}

// look gives what is remembered of an address, and has it fetched where that is nothing, or old: until then a good key serves.
func (c *certificates) look(ctx context.Context, address string) (certified, <-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, now := c.known(address), time.Now()
	fetched, running := c.fetching[address]
	if now.Before(known.until) || running {
		return known, fetched, nil
	}
	if known.key == nil {
		if now.Sub(c.since) >= keepBad {
			c.fresh, c.since = 0, now
		}
		if c.fresh++; c.fresh > maxNew {
			return known, nil, fmt.Errorf("%w: paypal: too many certificates are asked for", channel.ErrUnavailable)
		}
	}
	fetched = make(chan struct{})
	c.fetching[address] = fetched
	go func() {
		ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
		defer cancel()
		got := c.fetch(ctx, address)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remember(address, got)
		delete(c.fetching, address)
		close(fetched)
	}()
	return known, fetched, nil
}

// known is what is remembered of an address: a key that is still worth something, or else what was wrong a moment ago.
func (c *certificates) known(address string) certified {
	now := time.Now()
	if k, ok := c.good[address]; ok && now.Before(k.ends) {
		return k
	}
	if k, ok := c.bad[address]; ok && now.Before(k.until) {
		return k
	}
	return certified{}
}

// remember keeps what was fetched. A good key that cannot be renewed just now goes on; one that is refused is worth nothing any more.
func (c *certificates) remember(address string, got certified) {
	into := c.bad
	switch old, had := c.good[address]; {
	case got.err == nil:
		into = c.good
	case had && errors.Is(got.err, channel.ErrUnavailable):
		old.until = got.until
		into, got = c.good, old
	default:
		delete(c.good, address)
	}
	if len(into) >= keepAll {
		clear(into)
	}
	into[address] = got
}

func (c *certificates) fetch(ctx context.Context, address string) certified {
	key, ends, err := c.get(ctx, address)
	if err != nil {
		return certified{err: err, until: time.Now().Add(keepBad)}
	}
	return certified{key: key, until: time.Now().Add(keepGood), ends: ends}
}

func (c *certificates) get(ctx context.Context, address string) (*rsa.PublicKey, time.Time, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, time.Time{}, err
	}
	res, err := c.client.Do(r)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("%w: paypal: the certificate cannot be had", channel.ErrUnavailable)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxChain))
	if err != nil || res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests {
		return nil, time.Time{}, fmt.Errorf("%w: paypal: the certificate cannot be had, HTTP %d", channel.ErrUnavailable, res.StatusCode)
	}
	if res.StatusCode != http.StatusOK {
		return nil, time.Time{}, fmt.Errorf("the certificate cannot be had: HTTP %d", res.StatusCode)
	}
	leaf, err := c.vouched(text)
	if err != nil {
		return nil, time.Time{}, err
	}
	key, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, time.Time{}, errors.New("the certificate's key is not RSA")
	}
	return key, leaf.NotAfter, nil
}

// vouched reads a certificate and its chain, and wants the roots to vouch for it and PayPal to be its owner. PayPal's file need not have
// what stands between it and a root: its SDKs bring that themselves. Where no roots were given to us, a signer's certificate is then taken
// for whence it came, over TLS from PayPal's own host, which is what we trust with every other answer.
func (c *certificates) vouched(text []byte) (*x509.Certificate, error) {
	var chain []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil && len(chain) < 8; block, rest = pem.Decode(rest) {
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("the certificate is not readable")
		}
		chain = append(chain, one)
	}
	if len(chain) == 0 {
		return nil, errors.New("the certificate is not readable")
	}
	leaf, between := chain[0], x509.NewCertPool()
	for _, one := range chain[1:] {
		between.AddCert(one)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if stranger := new(x509.UnknownAuthorityError); errors.As(err, stranger) && !c.strict && signs(leaf) {
		return leaf, nil
	}
	if err != nil {
		return nil, errors.New("nobody we trust vouches for the certificate")
	}
	if !slices.ContainsFunc(append(leaf.DNSNames, leaf.Subject.CommonName), func(name string) bool { return strings.HasSuffix(strings.ToLower(name), owner) }) {
		return nil, errors.New("the certificate is not PayPal's")
	}
	return leaf, nil
}

// signs: the certificate is one of those with which PayPal signs notifications, now.
func signs(leaf *x509.Certificate) bool {
	now := time.Now()
	return signer.MatchString(strings.ToLower(leaf.Subject.CommonName)) && !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter)
}
