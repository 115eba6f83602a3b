package resolvers_test

import (
	"testing"

	"paydesk/internal/billing/account"
)

// TX-14, TX-16 to TX-18: where no channel is open a bank transfer is, to an account number and with a remark that names the customer; to a
// number of the customer's own where there is one (AL-45).
func TestRemittanceInstructions(t *testing.T) {
	w := newWorld(t)
	const ask = `{ remittanceInstructions { dedicated payeeName accountNumber bankName remark expectedWorkingDays proofUrl notices } }`
	shared := w.ask(ask)
	w.want(shared, "remittanceInstructions.dedicated", false)
	w.want(shared, "remittanceInstructions.accountNumber", "100000000000000001")
	w.want(shared, "remittanceInstructions.remark", "Cloud service fee "+w.me.Number)
	w.want(shared, "remittanceInstructions.expectedWorkingDays", "3")
	own := "6217000000001"
	if _, err := w.accounts.Update(t.Context(), w.me.ID, account.Update{DedicatedAccountNumber: &own}); err != nil {
		t.Fatal(err)
	}
	dedicated := w.ask(ask)
	w.want(dedicated, "remittanceInstructions.dedicated", true)
	w.want(dedicated, "remittanceInstructions.accountNumber", own)
	w.want(dedicated, "remittanceInstructions.notices.0", "Use this account number for this account only.")
}
