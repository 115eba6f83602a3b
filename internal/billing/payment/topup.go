package payment

import (
	"context"
	"net/url"
	"slices"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/policy"
	"paydesk/internal/channel"
	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/models"
)

// TopUp starts a payment that brings money to the payer's balance (PA-9, PA-11, TX-5). It is REQUIRES_ACTION with the code
// to scan when all went well, PROCESSING where the channel's answer is unknown, FAILED where it refused. Faults:
// ACCOUNT_NOT_ACTIVE, CHANNEL_NOT_AVAILABLE, AMOUNT_*, CURRENCY_MISMATCH, BANK_NOT_SUPPORTED, INVALID_INPUT, and those of the key.
func (s *Service) TopUp(ctx context.Context, who Payer, online Online) (models.Payment, error) {
	out, replayed, err := s.Keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		p, err := s.newTopUp(ctx, who, online)
		if err != nil {
			return idempotency.Outcome{}, err
		}
		out := idempotency.Outcome{Kind: outcomeKind, Ref: p.ID}
		err = s.DB.InTx(ctx, func(ctx context.Context) error {
			if err := s.Keys.Claim(ctx, out); err != nil {
				return err
			}
			failpoint.Hit(failpoint.TopUpClaimed)
			if err := s.create(ctx, p); err != nil {
				return err
			}
			failpoint.Hit(failpoint.TopUpWritten)
			return s.Outbox.Add(ctx, p.AccountID, live.Payment(p.ID))
		})
		if err != nil {
			return out, err
		}
		failpoint.Hit(failpoint.TopUpCommitted)
		return out, s.start(ctx, p)
	})
	if err != nil {
		return models.Payment{}, err
	}
	if !replayed { // it has been called a moment ago
		return s.ByID(ctx, who.AccountID, out.Ref)
	}
	return s.resumed(ctx, who.AccountID, out.Ref)
}

func (s *Service) newTopUp(ctx context.Context, who Payer, online Online) (models.Payment, error) {
	account, found, err := s.Accounts.ByID(ctx, who.AccountID)
	if err != nil {
		return models.Payment{}, err
	}
	if !found {
		return models.Payment{}, fault.New("ACCOUNT_NOT_FOUND")
	}
	if f := s.checkOnline(policy.CustomerOf(&account), models.PurposeTopUp, online, "input", "online"); f != nil {
		return models.Payment{}, f
	}
	p := s.newPayment(who, models.PurposeTopUp, online.Amount)
	s.viaChannel(&p, online, nil)
	p.Terms.PayerIP = who.IP
	return p, s.readCard(ctx, &p, policy.CustomerOf(&account), online, "input", "online")
}

// checkOnline asks the policy, as the options do: what the console shows is what the server enforces.
func (s *Service) checkOnline(c policy.Customer, purpose models.PaymentPurpose, o Online, path ...string) *fault.Fault {
	if f := s.Policy.CheckOnline(c, purpose, o.Channel, o.Amount, o.BankCode, s.Channels.Healthy); f != nil {
		f.Field = append(slices.Clone(path), f.Field...)
		return f
	}
	if o.Display != "" && !slices.Contains(channel.Displays(o.Channel), o.Display) {
		return fault.New("INVALID_INPUT", append(path, "display")...)
	}
	if f := checkMethod(o, path...); f != nil {
		return f
	}
	if o.ReturnURL != "" && !s.allowedReturn(o.ReturnURL) {
		return fault.New("INVALID_INPUT", append(path, "returnUrl")...)
	}
	return nil
}

// allowedReturn keeps the payer from being sent to a stranger's page.
func (s *Service) allowedReturn(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || len(text) > 2048 || u.User != nil {
		return false
	}
	return slices.Contains(s.ReturnOrigins(), u.Scheme+"://"+u.Host)
}
