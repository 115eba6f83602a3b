package payment

import (
	"context"
	"errors"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/policy"
	"paydesk/internal/channel"
	"paydesk/models"
)

// checkMethod judges what the person pays with, as far as that can be said without the channel. Faults: METHOD_NOT_FOUND (a bound method
// is wanted or named), INVALID_INPUT.
func checkMethod(o Online, path ...string) *fault.Fault {
	byCard := o.Channel == models.ChannelBankCard
	switch {
	case o.PaymentMethodID != "", byCard && o.CardToken == "": // bound methods come with the payment methods
		return fault.New("METHOD_NOT_FOUND", append(path, "paymentMethodId")...)
	case o.CardToken != "" && (!byCard || len(o.CardToken) > maxToken):
		return fault.New("INVALID_INPUT", append(path, "cardToken")...)
	case o.SaveCard:
		return fault.New("INVALID_INPUT", append(path, "saveCard")...)
	}
	return nil
}

// maxToken is how many characters a card field's token may have.
const maxToken = 255

// readCard asks the channel what card is behind a fresh token and judges it before anything is taken (TX-9, TX-10, AL-8 to AL-11). What
// stays of the card is put on the payment. Faults: CARD_*, METHOD_NOT_FOUND for a token that is none.
func (s *Service) readCard(ctx context.Context, p *models.Payment, c policy.Customer, o Online, path ...string) error {
	if o.CardToken == "" {
		return nil
	}
	reader, ok := s.Channels.Cards(o.Channel)
	if !ok {
		return fault.New("CHANNEL_NOT_AVAILABLE", append(path, "channel")...).With("channel", o.Channel)
	}
	card, err := reader.Inspect(ctx, o.CardToken) // as long as a call may take: one that hangs is to open the breaker
	if errors.Is(err, channel.ErrDeclined) {
		return fault.New("METHOD_NOT_FOUND", append(path, "cardToken")...)
	}
	if err != nil {
		return errors.Join(fault.ErrUnavailable, err)
	}
	if f := s.Policy.CheckCard(c, card.Brand, card.Funding, card.Country, card.ExpiryYear, card.ExpiryMonth, p.CreatedAt); f != nil {
		f.Field = append(path, "cardToken")
		return f
	}
	p.Terms.CardToken, p.Terms.Challenge = o.CardToken, s.Policy.ChallengeWanted(c)
	p.Terms.Card = &models.UsedCard{Brand: card.Brand, Last4: card.Last4}
	return nil
}
