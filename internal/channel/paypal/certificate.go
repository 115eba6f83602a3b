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

// owner is whose certificates sign notifications: messageverificationcerts.paypal.com and the like.
const owner = ".paypal.com"

const (
	keepGood = 12 * time.Hour // a certificate is fetched anew after that
	keepBad  = time.Minute    // what could not be had or did not fit is not tried again before
	keepAll  = 64             // addresses that are remembered of each kind
	maxChain = 64 << 10       // bytes of a certificate with its chain
)

// certificates gives the keys that sign notifications. The address comes with the notification, from anybody: only PayPal's hosts are
// asked, at the path of their certificates, one at a time, and what they answer must be vouched for by the roots.
type certificates struct {
	client *http.Client
	mode   guard.Mode
	hosts  []string
	path   *regexp.Regexp
	roots  *x509.CertPool // nil: the system's
	one    chan struct{}  // who holds it fetches

	mu        sync.Mutex
	good, bad map[string]certified
}

// certified is what came of fetching a certificate; an error that is channel.ErrUnavailable says nothing of the certificate.
type certified struct {
	key   *rsa.PublicKey
	until time.Time
	err   error
}

func newCertificates(c Config, base *url.URL, client *http.Client) (*certificates, error) {
	out := &certificates{client: client, mode: c.Mode, hosts: c.CertificateHosts, one: make(chan struct{}, 1), good: map[string]certified{}, bad: map[string]certified{}}
	if len(out.hosts) == 0 {
		out.hosts = []string{"api.paypal.com", "api-m.paypal.com"}
		if c.Mode == guard.Sandbox || strings.Contains(base.Host, ".sandbox.") {
			out.hosts = []string{base.Host, strings.Replace(base.Host, "api-m.", "api.", 1)}
		}
	}
	out.path = regexp.MustCompile("^" + regexp.QuoteMeta(strings.TrimSuffix(base.Path, "/")) + "/v1/notifications/certs/[A-Za-z0-9_-]{1,100}$")
	if c.Roots != "" {
		out.roots = x509.NewCertPool()
		if !out.roots.AppendCertsFromPEM([]byte(c.Roots)) {
			return nil, errors.New("paypal: the roots are not certificates in PEM")
		}
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
	if known, ok := c.known(address); ok {
		return known.key, known.err
	}
	select {
	case c.one <- struct{}{}:
		defer func() { <-c.one }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if known, ok := c.known(address); ok { // another was quicker
		return known.key, known.err
	}
	k, until, err := c.fetch(ctx, address)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if len(c.bad) >= keepAll {
			clear(c.bad)
		}
		c.bad[address] = certified{until: time.Now().Add(keepBad), err: err}
		return nil, err
	}
	if len(c.good) >= keepAll {
		clear(c.good)
	}
	c.good[address] = certified{key: k, until: until}
	return k, nil
}

// known is what is remembered of an address.
func (c *certificates) known(address string) (certified, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, kind := range []map[string]certified{c.good, c.bad} {
		if k, ok := kind[address]; ok && time.Now().Before(k.until) {
			return k, true
		}
	}
	return certified{}, false
}

func (c *certificates) fetch(ctx context.Context, address string) (*rsa.PublicKey, time.Time, error) {
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
	if err != nil || res.StatusCode >= http.StatusInternalServerError {
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
	until := time.Now().Add(keepGood)
	if leaf.NotAfter.Before(until) {
		until = leaf.NotAfter
	}
	return key, until, nil
}

// vouched reads a certificate and its chain, and wants the roots to vouch for it and PayPal to be its owner.
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
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return nil, errors.New("nobody we trust vouches for the certificate")
	}
	if !slices.ContainsFunc(append(leaf.DNSNames, leaf.Subject.CommonName), func(name string) bool { return strings.HasSuffix(strings.ToLower(name), owner) }) {
		return nil, errors.New("the certificate is not PayPal's")
	}
	return leaf, nil
}
