package payment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

const (
	visa      = "4242424242424242"
	visa3DS   = "4000002760003184"
	noFunds   = "4000000000009995"
	noFunds3D = "4000008260003178"
	jcb       = "3566002020360505"
)

// abroad opens an account of the international entity, which pays by card in dollars.
func (w *world) abroad(region, country string) payment.Payer {
	w.Helper()
	w.numbers++
	a, err := w.accounts.Open(w.ctx, account.Opening{Number: fmt.Sprint("A", w.numbers), Name: "Example", Kind: models.AccountIndividual, Region: region, Country: country, SigningEntity: "INTERNATIONAL",
		Currency: "USD", RealName: "Example", Email: "finance@example.com"})
	w.must(err)
	return payment.Payer{AccountID: a.ID, UserID: "user", Locale: "en"}
}

// card types a card into the field; it expires in this many months.
func (w *world) card(number string, months int) payment.Online {
	w.Helper()
	end := time.Now().UTC()
	end = time.Date(end.Year(), end.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	cvc := "123"
	if len(number) == 15 {
		cvc = "1234"
	}
	body, _ := json.Marshal(map[string]any{"number": number, "expiryMonth": int(end.Month()), "expiryYear": end.Year(), "cvc": cvc, "holderName": "Li Lei"})
	r, err := http.Post(w.server.URL+sandbox.CardsPath, "application/json", bytes.NewReader(body))
	w.must(err)
	defer r.Body.Close()
	var out struct{ Token string }
	if w.must(json.NewDecoder(r.Body).Decode(&out)); out.Token == "" {
		w.Fatal("no token: ", r.Status)
	}
	return payment.Online{Channel: models.ChannelBankCard, Amount: money.New(1234, "USD"), CardToken: out.Token}
}

// bill places an order of 12.34 dollars.
func (w *world) bill(who payment.Payer) models.Order {
	w.Helper()
	w.numbers++
	o := newOrder(fmt.Sprint("O", w.numbers), "12.34")
	o.Items[0].Amount = input.Amount{Decimal: "12.34", Currency: "USD"}
	placed, err := w.orders.Place(w.ctx, order.Placement{AccountID: who.AccountID, Orders: []order.NewOrder{o}})
	w.must(err)
	return placed[0]
}

func (w *world) cash(who payment.Payer) int64 {
	w.Helper()
	b, err := w.ledger.Balance(w.ctx, who.AccountID)
	w.must(err)
	return b.Available()
}

func (w *world) trades() (n int64) {
	w.Helper()
	_, err := w.DB.QueryRow(w.ctx, []any{&n}, "SELECT COUNT(*) FROM sandbox_trades WHERE channel = 'BANK_CARD'")
	w.must(err)
	return n
}

// TX-8, AL-9: a fresh card tops up and pays, at once or after 3-D Secure; what it was stays on the payment (the token's worth is used up).
func TestPayByFreshCard(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.abroad("US", "US")
		p, err := w.payments.TopUp(w.ctx, who, w.card(visa, 12))
		w.must(err)
		if p = w.reaches(p, models.PaymentSucceeded); p.Terms.Card == nil || *p.Terms.Card != (models.UsedCard{Brand: "VISA", Last4: "4242"}) || !strings.HasPrefix(p.ChannelReference, "pi_") || p.ActionKind != "" {
			t.Errorf("%+v", p)
		}
		p, err = w.payments.TopUp(w.ctx, who, w.card(visa3DS, 12))
		w.must(err)
		if p.Status != models.PaymentRequiresAction || p.ActionKind != models.ActionRedirect || p.ActionMethod != http.MethodGet {
			t.Fatalf("%+v", p)
		}
		w.play(p, "outcome=succeed")
		w.reaches(p, models.PaymentSucceeded)
		if got := w.cash(who); got != 2*1234 {
			t.Errorf("%d in the balance", got)
		}

		o := w.bill(who)
		half := w.card("5555555555554444", 12)
		half.Amount.Minor = 1000
		rest := money.New(234, "USD")
		p, err = w.payments.Pay(w.ctx, who, payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: payment.Funding{Online: &half, Balance: &rest}}})
		w.must(err)
		if p = w.reaches(p, models.PaymentSucceeded); w.orderNow(o).Paid != 1234 || w.cash(who) != 2*1234-234 || p.Terms.Card.Brand != "MASTERCARD" || p.OnlineAmount != 1000 {
			t.Errorf("%+v", p)
		}
		// The issuer's page is asked for where the region wants it, and only there (AL-17).
		for region, status := range map[string]models.PaymentStatus{"US": models.PaymentSucceeded, "EU": models.PaymentRequiresAction} {
			p, err := w.payments.TopUp(w.ctx, w.abroad(region, map[string]string{"US": "US", "EU": "DE"}[region]), w.card("4000000000003055", 12))
			if w.must(err); p.Status != status {
				t.Errorf("%s: %s", region, p.Status)
			}
		}
	})
}

// Lesson 1, AL-15: what a bank refuses has failed, frees its order and says why; nothing is taken.
func TestCardRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.abroad("US", "US")
		for _, c := range []struct{ card, choice, failure string }{
			{"4000000000000002", "", "PAYMENT_DECLINED"}, {noFunds, "", "PAYMENT_DECLINED"}, {noFunds3D, "outcome=succeed", "PAYMENT_DECLINED"}, {visa3DS, "outcome=decline", "AUTHENTICATION_FAILED"},
		} {
			o := w.bill(who)
			on := w.card(c.card, 12)
			p, err := w.payments.Pay(w.ctx, who, payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: payment.Funding{Online: &on}}})
			w.must(err)
			if c.choice != "" {
				w.play(p, c.choice)
			}
			if p = w.reaches(p, models.PaymentFailed); p.FailureCode != c.failure || !w.orderNow(o).ActivePaymentID.IsZero() || w.orderNow(o).Paid != 0 {
				t.Errorf("%+v: %+v", c, p)
			}
			again := w.card(visa, 12) // the order can be paid with another card
			p, err = w.payments.Pay(w.ctx, who, payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: payment.Funding{Online: &again}}})
			w.must(err)
			w.reaches(p, models.PaymentSucceeded)
		}
		// A refusal whose notification is lost is found by asking.
		w.behave(models.ChannelBankCard, `"notify":"drop"`)
		p, err := w.payments.TopUp(w.ctx, who, w.card(visa3DS, 12))
		w.must(err)
		w.play(p, "outcome=decline")
		w.advance(16 * time.Second)
		if p = w.now(p); p.Status != models.PaymentFailed || p.FailureCode != "AUTHENTICATION_FAILED" {
			t.Errorf("%+v", p)
		}
		if w.cash(who) != 0 {
			t.Error("something was taken")
		}
	})
}

// TX-9, TX-10, C1, C2, AL-8 to AL-11, AL-18: cards that the site does not take are refused before a bank hears of them.
func TestCardNotTaken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			region, country, card string
			months                int
			code                  string
		}{
			{"US", "US", "6200000000000005", 12, "CARD_BRAND_NOT_SUPPORTED"},
			{"US", "US", "6011111111111117", 12, "CARD_BRAND_NOT_SUPPORTED"},
			{"US", "US", jcb, 12, "CARD_BRAND_NOT_SUPPORTED"},
			{"MY", "MY", "378282246310005", 12, "CARD_BRAND_NOT_SUPPORTED"},
			{"US", "US", "4000001560000002", 12, "CARD_COUNTRY_NOT_SUPPORTED"},
			{"US", "US", "5105105105105100", 12, "CARD_FUNDING_NOT_SUPPORTED"},
			{"US", "US", visa, 0, "CARD_EXPIRES_TOO_SOON"},
		} {
			who := w.abroad(c.region, c.country)
			if _, err := w.payments.TopUp(w.ctx, who, w.card(c.card, c.months)); !fault.Is(err, c.code) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if w.trades() != 0 {
			t.Error("a bank was asked")
		}
		other, us := w.abroad("OTHER", "JP"), w.abroad("US", "US")
		p, err := w.payments.TopUp(w.ctx, other, w.card(jcb, 12))
		w.must(err)
		w.reaches(p, models.PaymentSucceeded)

		for code, change := range map[string]func(*payment.Online){
			"METHOD_NOT_FOUND":      func(o *payment.Online) { o.CardToken = "" },
			"INVALID_INPUT":         func(o *payment.Online) { o.SaveCard = true },
			"CURRENCY_MISMATCH":     func(o *payment.Online) { o.Amount = money.New(1234, "CNY") },
			"CHANNEL_NOT_AVAILABLE": func(o *payment.Online) { o.Channel = models.ChannelAlipay },
		} {
			o := w.card(visa, 12)
			change(&o)
			if _, err := w.payments.TopUp(w.ctx, us, o); !fault.Is(err, code) {
				t.Errorf("%s: %v", code, err)
			}
		}
		for _, token := range []string{"pm_nobodys", "no token", visa} {
			o := payment.Online{Channel: models.ChannelBankCard, Amount: money.New(1234, "USD"), CardToken: token}
			if _, err := w.payments.TopUp(w.ctx, us, o); !fault.Is(err, "METHOD_NOT_FOUND") || strings.Contains(err.Error(), token) {
				t.Errorf("%v", err)
			}
		}
		if _, err := w.payments.TopUp(w.ctx, w.payer, w.card(visa, 12)); !fault.Is(err, "CURRENCY_MISMATCH") && !fault.Is(err, "CHANNEL_NOT_AVAILABLE") {
			t.Errorf("an account of the mainland: %v", err)
		}
		// A token is good for one payment; one after the other or at once, the card is charged once.
		o := w.card(visa, 12)
		ends := make(chan models.PaymentStatus, 4)
		var running sync.WaitGroup
		for range cap(ends) {
			running.Go(func() {
				p, err := w.payments.TopUp(w.ctx, us, o)
				if err != nil {
					t.Error(err)
				}
				ends <- p.Status
			})
		}
		running.Wait()
		close(ends)
		count := map[models.PaymentStatus]int{}
		for s := range ends {
			count[s]++
		}
		if count[models.PaymentSucceeded] != 1 || count[models.PaymentFailed] != 3 || w.cash(us) != 1234 {
			t.Errorf("%v, %d", count, w.cash(us))
		}
	})
}

// deaf is a channel whose answers to the first starts are lost.
type deaf struct {
	channel.Adapter
	channel.CardReader
	lost int
}

func (d *deaf) Start(ctx context.Context, r channel.StartRequest) (channel.Started, error) {
	s, err := d.Adapter.Start(ctx, r)
	if d.lost--; d.lost >= 0 {
		return channel.Started{}, channel.ErrUnknown
	}
	return s, err
}

// Lesson 1: an answer that is lost is no second charge. The same key takes the same intent up again, and so does the sweep; and neither
// tokens nor numbers are in the log.
func TestCardAnswerLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.payments.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		real := w.payments.Channels[models.ChannelBankCard]
		d := &deaf{Adapter: real, CardReader: real.(channel.CardReader)}
		w.payments.Channels[models.ChannelBankCard] = d
		w.behave(models.ChannelBankCard, `"notify":"drop"`)
		who := w.abroad("US", "US")
		for _, c := range []struct {
			card string
			want models.PaymentStatus
		}{{visa, models.PaymentSucceeded}, {visa3DS, models.PaymentRequiresAction}, {noFunds, models.PaymentFailed}} {
			for _, way := range []string{"the same key", "the sweep"} {
				before, on := w.trades(), w.card(c.card, 12)
				d.lost = 1
				p, err := w.payments.TopUp(w.keyed(way+c.card, "same"), who, on)
				if w.must(err); way == "the same key" {
					p, err = w.payments.TopUp(w.keyed(way+c.card, "same"), who, on)
					w.must(err)
				}
				if c.want == models.PaymentFailed || way == "the sweep" {
					w.advance(16 * time.Second) // a refusal of a repeated call is believed when the channel is asked
					p = w.now(p)
				}
				if p.Status != c.want || w.trades() != before+1 || !strings.HasPrefix(p.ChannelReference, "pi_") && c.want != models.PaymentFailed {
					t.Errorf("%s, %s: %+v, %d trades", c.card, way, p, w.trades()-before)
				}
				if text := log.String(); strings.Contains(text, on.CardToken) || strings.Contains(text, c.card) || strings.Contains(text, "client_secret") {
					t.Errorf("the log tells: %s", text)
				}
				if p.Status == models.PaymentRequiresAction {
					w.play(p, "outcome=succeed")
					w.advance(16 * time.Second)
					w.reaches(p, models.PaymentSucceeded)
				}
			}
		}
		if log.Len() == 0 || w.cash(who) != 4*1234 {
			t.Errorf("%d in the balance, %d bytes of log", w.cash(who), log.Len())
		}
		// A card that cannot be read begins nothing.
		before := w.trades()
		on := w.card(visa, 12)
		w.behave(models.ChannelBankCard, `"call":"error500"`)
		if _, err := w.payments.TopUp(w.ctx, who, on); !errors.Is(err, fault.ErrUnavailable) || strings.Contains(err.Error(), on.CardToken) || w.trades() != before {
			t.Errorf("unreadable: %v", err)
		}
	})
}

// watched is a channel that tells how long it is given to read a card.
type watched struct {
	channel.Adapter
	within time.Duration
}

func (r *watched) Inspect(ctx context.Context, token string) (channel.Card, error) {
	if end, ok := ctx.Deadline(); ok {
		r.within = time.Until(end)
	}
	return r.Adapter.(channel.CardReader).Inspect(ctx, token)
}

// A card is read within what the operation has, not cut shorter: what is broken off in a hurry counts as nobody's failure, or as one that is
// not the provider's, and a provider that hangs has to open its breaker.
func TestCardsAreReadWithoutHurry(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who, r := w.abroad("US", "US"), &watched{Adapter: w.payments.Channels[models.ChannelBankCard]}
		w.payments.Channels[models.ChannelBankCard] = r
		ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
		defer cancel()
		if _, err := w.payments.TopUp(ctx, who, w.card(visa, 12)); err != nil || r.within < 10*time.Second {
			t.Errorf("%v: %v", r.within, err)
		}
	})
}
