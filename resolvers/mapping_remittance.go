package resolvers

import (
	"strconv"
	"strings"

	"paydesk/graph/model"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// remittanceInstructions say where to send a bank transfer (TX-14, TX-16 to TX-18, AL-45): to the account number that is the customer's
// own, where it has one, else to the vendor's, with a remark that names the account (TX-17).
func (v view) remittanceInstructions(a models.Account) *model.RemittanceInstructions {
	rules := v.r.s.Policy.Remittance
	to := rules.Account
	out := &model.RemittanceInstructions{
		Dedicated: a.DedicatedAccountNumber != "", PayeeName: to.Payee, AccountNumber: to.Number, BankName: to.Bank,
		BankAddress: textOrNil(to.BankAddress), SwiftCode: textOrNil(to.SWIFT), Remark: strings.ReplaceAll(rules.Remark.In(v.locale), "{account}", a.Number),
		ExpectedWorkingDays: strconv.Itoa(rules.WorkingDays.From),
	}
	if to := rules.WorkingDays.To; to != rules.WorkingDays.From {
		out.ExpectedWorkingDays += "–" + strconv.Itoa(to)
	}
	days := messages.Text(v.locale, "remittance.notice.days", map[string]any{"days": out.ExpectedWorkingDays})
	out.Notices = []string{messages.Text(v.locale, "remittance.notice.remark", nil), days}
	if out.Dedicated {
		out.AccountNumber = a.DedicatedAccountNumber
		out.Notices = []string{messages.Text(v.locale, "remittance.notice.dedicated", nil), days}
	}
	return out
}
