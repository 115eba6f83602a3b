package main

import (
	"context"
	"fmt"
	"os"

	"paydesk/internal/channel"
	"paydesk/internal/channel/alipay"
	"paydesk/internal/channel/guard"
	"paydesk/internal/channel/wechatpay"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// adapters makes the channels that are configured; in development the sandbox stands in for the others. A channel with
// neither is not there, and options say that it is not available.
func (a *app) adapters(ctx context.Context) (channel.Registry, error) {
	out := channel.Registry{}
	var play sandbox.Credentials
	if a.sandbox != nil {
		var err error
		if play, err = a.sandbox.Credentials(ctx); err != nil {
			return nil, err
		}
	}
	for name, build := range map[models.PaymentChannel]func(sandbox.Credentials) (channel.Adapter, error){
		models.ChannelAlipay:    a.alipay,
		models.ChannelWeChatPay: a.wechatPay,
	} {
		if !a.configured(name) && a.sandbox == nil {
			continue
		}
		adapter, err := build(play)
		if err != nil {
			return nil, err
		}
		out[name] = channel.WithBreaker(adapter, channel.BreakerOptions{Around: a.metrics.around, OnChange: func(name, from, to string) {
			a.log.Warn("circuit breaker", "channel", name, "from", from, "to", to)
		}})
		a.metrics.open(name)
	}
	return out, nil
}

func (a *app) configured(c models.PaymentChannel) bool {
	switch c {
	case models.ChannelAlipay:
		return a.cfg.Alipay.AppID != ""
	case models.ChannelWeChatPay:
		return a.cfg.WeChat.MchID != ""
	}
	return false
}

// sandboxed reports whether the sandbox stands in for the provider.
func (a *app) sandboxed(c models.PaymentChannel) bool { return a.sandbox != nil && !a.configured(c) }

func (a *app) alipay(play sandbox.Credentials) (channel.Adapter, error) {
	if a.sandboxed(models.ChannelAlipay) {
		p := play.Alipay
		return alipay.New(alipay.Config{BaseURL: a.own + sandbox.AlipayPath, AppID: p.AppID, SellerID: p.SellerID, PrivateKey: p.PrivateKey, AlipayPublicKey: p.AlipayPublicKey, Mode: guard.Sandbox})
	}
	c := a.cfg.Alipay
	files, err := contents(c.PrivateKey, c.PublicKey)
	if err != nil {
		return nil, err
	}
	return alipay.New(alipay.Config{BaseURL: c.BaseURL, AppID: c.AppID, SellerID: c.SellerID, PrivateKey: files[0], AlipayPublicKey: files[1], Mode: guard.Production})
}

func (a *app) wechatPay(play sandbox.Credentials) (channel.Adapter, error) {
	if a.sandboxed(models.ChannelWeChatPay) {
		p := play.WeChatPay
		return wechatpay.New(wechatpay.Config{BaseURL: a.own + sandbox.WeChatPayPath, AppID: p.AppID, MchID: p.MchID, CertificateSerial: p.CertificateSerial,
			PrivateKey: p.PrivateKey, PublicKeyID: p.PublicKeyID, PublicKey: p.PublicKey, APIv3Key: p.APIv3Key, Mode: guard.Sandbox})
	}
	c := a.cfg.WeChat
	files, err := contents(c.PrivateKey, c.PublicKey)
	if err != nil {
		return nil, err
	}
	return wechatpay.New(wechatpay.Config{BaseURL: c.BaseURL, AppID: c.AppID, MchID: c.MchID, CertificateSerial: c.CertificateSerial,
		PrivateKey: files[0], PublicKeyID: c.PublicKeyID, PublicKey: files[1], APIv3Key: c.APIv3Key, Mode: guard.Production})
}

// contents reads key files; the error names the file, never what is in it.
func contents(paths ...string) ([]string, error) {
	out := make([]string, len(paths))
	for i, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("key file: %w", err)
		}
		out[i] = string(b)
	}
	return out, nil
}
