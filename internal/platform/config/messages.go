package config

import (
	"encoding/base64"
	"net"
	"net/mail"
	"net/url"
	"strconv"
)

const (
	sealingKeySize = 32
	// least is how short a secret that signs may be.
	least = 16
)

// settleMessages: a way to send is configured whole or not at all, and secrets never go over an open line.
func (c *Config) settleMessages(func(string) string) error {
	if key, err := base64.StdEncoding.DecodeString(c.SealingKey); c.SealingKey != "" && (err != nil || len(key) != sealingKeySize) {
		return &Error{"PAYDESK_SEALING_KEY", "is set (not shown)", "32 bytes in base64, such as openssl rand -base64 32 makes"}
	}
	if err := c.settleMail(); err != nil {
		return err
	}
	s := c.SMS
	if s.Secret != "" && len(s.Secret) < least {
		return &Error{"PAYDESK_SMS_SECRET", "is too short (not shown)", "at least 16 characters"}
	}
	if s.URL == "" {
		if s.Secret != "" {
			return &Error{"PAYDESK_SMS_URL", "is not set", "needed where PAYDESK_SMS_SECRET is set"}
		}
		return nil
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && (u.Scheme != "http" || !c.Dev && !Loopback(net.JoinHostPort(u.Hostname(), "0"))) {
		return &Error{"PAYDESK_SMS_URL", quote(maskURL(s.URL)), "an https:// URL (http:// in development, or to this machine)"}
	}
	if s.Secret == "" {
		return &Error{"PAYDESK_SMS_SECRET", "is not set", "at least 16 characters, needed where PAYDESK_SMS_URL is set"}
	}
	return nil
}

func (c *Config) settleMail() error {
	m := c.Mail
	if m.Address == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(m.Address)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || host == "" || n < 1 || n > 65535 {
		return &Error{"PAYDESK_SMTP_ADDRESS", quote(m.Address), "host:port, such as smtp.example.com:587"}
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		return &Error{"PAYDESK_SMTP_FROM", quote(m.From), "an address, or a name and an address such as Billing <billing@example.com>"}
	}
	if m.TLS == "none" && m.User != "" && !Loopback(m.Address) {
		return &Error{"PAYDESK_SMTP_TLS", quote(m.TLS), "starttls or tls: a password is not sent over an open line"}
	}
	if m.User == "" && m.Password != "" {
		return &Error{"PAYDESK_SMTP_USER", "is not set", "needed where PAYDESK_SMTP_PASSWORD is set"}
	}
	return nil
}
