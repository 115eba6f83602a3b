package sandbox

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"paydesk/internal/money"
)

//go:embed payer.html
var payerHTML string

var payerPage = template.Must(template.New("payer").Parse(payerHTML))

// payerView is what the page shows. Texts come in English and Chinese. A protocol sets the first four.
type payerView struct {
	App, AppZH string // the payer's app
	Look       string // its colours, a class of the page; where a channel has colours of its own, they come first
	Banks      bool   // the payer pays at a bank, and chooses it here where the merchant has not
	Trade      trade
	Bank       bank   // chosen; without a code: none yet
	Choice     []bank // to choose from
	Merchant   string
	Subject    string
	Amount     string
	Currency   string
	Number     string
	Open       bool // can be paid: the three buttons are shown
	Late       bool // closed or expired: a payer who was just paying may still do so
	Result     string
	ResultZH   string
	Tone       string // good, bad, plain
	Return     string // the merchant's page, where there is one to go back to
	Leave      bool   // the payer has decided: the page goes back there by itself
}

// showPayer is what a phone shows after scanning the code, or where a browser was sent; opening it is the scan.
func (s *Sandbox) showPayer(w http.ResponseWriter, r *http.Request) {
	t, ok := s.payerTrade(w, r)
	if !ok {
		return
	}
	state := t.at(s.clock.Now())
	if state == created {
		if err := s.scanned(r.Context(), t); err != nil {
			s.failed(w, r, err)
			return
		}
		state = waiting
	}
	v := s.view(t, state)
	if state != waiting {
		v.Result, v.ResultZH, v.Tone = told(state)
	}
	s.render(w, http.StatusOK, v)
}

// playPayer is the payer's choice: outcome=succeed, decline or abandon, and late=true for money that comes after the end. bank=ICBC
// chooses a bank, which a payer may do without.
func (s *Sandbox) playPayer(w http.ResponseWriter, r *http.Request) {
	t, ok := s.payerTrade(w, r)
	if !ok {
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, "a form is wanted: outcome=succeed, decline or abandon", http.StatusBadRequest)
		return
	}
	if r.PostForm.Has("bank") && !r.PostForm.Has("outcome") {
		s.chooseBank(w, r, t)
		return
	}
	outcome, lateText := r.PostForm.Get("outcome"), r.PostForm.Get("late")
	state := t.at(s.clock.Now())
	open := state == created || state == waiting
	var done bool
	var err error
	switch {
	case lateText != "" && lateText != "true" && lateText != "false":
		http.Error(w, "late: true or false is wanted", http.StatusBadRequest)
		return
	case outcome == "succeed":
		done, err = s.succeed(r.Context(), t, r.PostForm)
	case outcome == "decline":
		done, err = s.refuse(r.Context(), t, r.PostForm)
	case outcome == "abandon":
		if done = open; done && state == created {
			err = s.scanned(r.Context(), t)
		}
	default:
		http.Error(w, "outcome: succeed, decline or abandon is wanted", http.StatusBadRequest)
		return
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.answerPayer(w, r, t.Token, outcome, done)
}

// chooseBank goes on to the bank's page; no bank goes back to the list.
func (s *Sandbox) chooseBank(w http.ResponseWriter, r *http.Request, t trade) {
	p, _ := s.protocolOf(t.Channel)
	t.Detail.Bank = r.PostForm.Get("bank")
	if _, listed := bankOf(t.Detail.Bank); !p.page.Banks || !listed && t.Detail.Bank != "" {
		http.Error(w, "bank: no such bank", http.StatusBadRequest)
		return
	}
	if err := s.note(r.Context(), t); err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
}

// succeed is the payer's yes.
func (s *Sandbox) succeed(ctx context.Context, t trade, form url.Values) (bool, error) {
	if p, _ := s.protocolOf(t.Channel); p.succeed != nil {
		return p.succeed(ctx, s, t, form)
	}
	return s.pay(ctx, t, form.Get("late") == "true")
}

// refuse is the payer's no.
func (s *Sandbox) refuse(ctx context.Context, t trade, form url.Values) (bool, error) {
	if p, _ := s.protocolOf(t.Channel); p.decline != nil {
		return p.decline(ctx, s, t, form)
	}
	return s.decline(ctx, t)
}

// answerPayer shows how the trade stands after the choice; a choice that was not possible is 409.
func (s *Sandbox) answerPayer(w http.ResponseWriter, r *http.Request, token, outcome string, done bool) {
	t, err := s.findByToken(r.Context(), token)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	state := t.at(s.clock.Now())
	v := s.view(t, state)
	v.Leave = true
	code := http.StatusOK
	switch {
	case !done:
		code = http.StatusConflict
		v.Result, v.ResultZH, v.Tone = told(state)
	case outcome == "abandon":
		v.Open, v.Late = false, false
		v.Result, v.ResultZH, v.Tone = "You left without paying. You can still pay until it expires.", "您已离开，尚未付款。到期前仍可付款。", "plain"
	default:
		v.Result, v.ResultZH, v.Tone = told(state)
	}
	s.render(w, code, v)
}

// told puts an ended state into words.
func told(state status) (en, zh, tone string) {
	switch state {
	case paid:
		return "Paid.", "支付成功", "good"
	case declined:
		return "Payment declined. Nothing was taken.", "支付失败，未扣款", "bad"
	case closed:
		return "The merchant has closed this trade. It cannot be paid any more.", "商家已关闭该交易，无法继续付款", "bad"
	case expired:
		return "This payment has expired.", "付款已过期", "bad"
	case approved:
		return "You have agreed. The merchant takes the payment now.", "您已同意付款，商家正在收款", "good"
	}
	return "This trade is waiting for its payer.", "等待付款", "plain"
}

func (s *Sandbox) view(t trade, state status) payerView {
	p, _ := s.protocolOf(t.Channel)
	v := p.page
	v.Trade, v.Merchant, v.Subject, v.Number = t, "paydesk sandbox", t.Subject, t.Number
	v.Amount, v.Currency = money.New(t.Amount, money.Currency(t.Currency)).Decimal(), t.Currency
	v.Open = state == created || state == waiting
	v.Late = state == closed || state == expired
	v.Bank, _ = bankOf(t.Detail.Bank)
	if v.Banks && v.Open && t.Detail.Bank == "" {
		v.Choice = banks
	}
	if u, err := url.Parse(t.Detail.ReturnURL); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		v.Return = u.String()
	}
	return v
}

func (s *Sandbox) payerTrade(w http.ResponseWriter, r *http.Request) (trade, bool) {
	t, err := s.findByToken(r.Context(), r.PathValue("token"))
	if errors.Is(err, errNoTrade) {
		http.Error(w, "no such trade", http.StatusNotFound)
		return trade{}, false
	}
	if err != nil {
		s.failed(w, r, err)
		return trade{}, false
	}
	return t, true
}

// render shows the protocol's own page, or the common one.
func (s *Sandbox) render(w http.ResponseWriter, code int, v payerView) {
	if p, _ := s.protocolOf(v.Trade.Channel); p.render != nil {
		p.render(w, code, v)
		return
	}
	writePage(w, code, payerPage, v)
}

// writePage executes a page of the sandbox: without scripts, and posting to nobody else.
func writePage(w http.ResponseWriter, code int, t *template.Template, v any) {
	var page bytes.Buffer
	if err := t.Execute(&page, v); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	page.WriteTo(w)
}
