package resolvers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"paydesk/internal/billing/account"
	"paydesk/models"
)

// firm makes the viewer an enterprise's, which is protected (D2).
func (w *world) firm() {
	w.Helper()
	a, err := w.accounts.Open(context.Background(), account.Opening{Number: "F1", Name: "Yuntu", Kind: models.AccountEnterprise, Region: "CN", Country: "CN",
		SigningEntity: "MAINLAND", Currency: "CNY", RealName: "云图", Phone: "13812345678", Email: "a@example.com"})
	w.must(err)
	w.me, w.viewer.AccountID = a, a.ID
}

// lastCode is what the newest message says.
func (w *world) lastCode() string {
	w.Helper()
	all, err := w.messages.Of(context.Background(), w.me.ID)
	w.must(err)
	if len(all) == 0 || all[0].Code == "" {
		w.Fatalf("no code: %+v", all)
	}
	return all[0].Code
}

const (
	sendCode = `mutation($in: SendVerificationCodeInput!) { sendVerificationCode(input: $in) { sentTo resendAt expiresAt errors { __typename code message field } } }`
	turn     = `mutation($in: UpdateAccountSettingsInput!) { updateAccountSettings(input: $in) { settings { id automaticSettlement operationProtection }
		errors { __typename code message field ... on VerificationRequired { scene deliveries { kind target } } } } }`
	enroll  = `mutation($code: String) { enrollTotp(input: {verificationCode: $code}) { provisioningUri errors { __typename code field } } }`
	confirm = `mutation($code: String!) { confirmTotp(input: {code: $code}) { enrolled errors { __typename code field message } } }`
)

// HW-R20, D2 over GraphQL: off with a code alone, which is asked for by type; null keeps what is there.
func TestAccountSettings(t *testing.T) {
	w := newWorld(t)
	w.firm()
	got := w.ask(turn, "in", vars("automaticSettlement", false))
	w.want(got, "updateAccountSettings.settings.automaticSettlement", false)
	w.want(got, "updateAccountSettings.settings.operationProtection", true)
	w.want(got, "updateAccountSettings.settings.id", w.me.ID.Encode(models.PrefixSettings))

	off := vars("operationProtection", false, "automaticSettlement", true)
	got = w.ask(turn, "in", off)
	w.want(got, "updateAccountSettings.settings", nil)
	w.want(got, "updateAccountSettings.errors.0.__typename", "VerificationRequired")
	w.want(got, "updateAccountSettings.errors.0.code", "VERIFICATION_REQUIRED")
	w.want(got, "updateAccountSettings.errors.0.field.0", "verificationCode")
	w.want(got, "updateAccountSettings.errors.0.scene", "SETTINGS")
	w.want(got, "updateAccountSettings.errors.0.deliveries.0.kind", "SMS")
	w.want(got, "updateAccountSettings.errors.0.deliveries.0.target", "138****5678")
	w.want(got, "updateAccountSettings.errors.0.deliveries.1.target", "a***@example.com")

	got = w.ask(sendCode, "in", vars("scene", "SETTINGS", "kind", "EMAIL"))
	w.want(got, "sendVerificationCode.sentTo", "a***@example.com")
	off["verificationCode"] = "x" + w.lastCode()
	got = w.ask(turn, "in", off)
	w.want(got, "updateAccountSettings.errors.0.__typename", "InputError")
	w.want(got, "updateAccountSettings.errors.0.code", "VERIFICATION_FAILED")
	off["verificationCode"] = w.lastCode()
	got = w.ask(turn, "in", off)
	w.want(got, "updateAccountSettings.settings.operationProtection", false)
	w.want(got, "updateAccountSettings.settings.automaticSettlement", true)
	w.want(w.ask("{ viewer { account { settings { operationProtection } } } }"), "viewer.account.settings.operationProtection", false)
}

// Too soon says when; what cannot be sent says why, at its place in the input.
func TestSendVerificationCode(t *testing.T) {
	w := newWorld(t)
	w.firm()
	orders := w.placed(false, "100.00", "50.00")
	in := vars("scene", "COMBINED_PAYMENT", "kind", "SMS", "orderIds", orders, "funding", vars("balance", vars("amount", "100.00", "currency", "CNY"),
		"online", vars("channel", "ALIPAY", "amount", vars("amount", "50.00", "currency", "CNY"))))
	got := w.ask(sendCode, "in", in)
	w.want(got, "sendVerificationCode.sentTo", "138****5678")
	first, second := at(w, got, "sendVerificationCode.resendAt"), at(w, got, "sendVerificationCode.expiresAt")
	if second.Sub(first) != 9*time.Minute {
		t.Errorf("again at %v, good until %v", first, second)
	}
	got = w.ask(sendCode, "in", in)
	w.want(got, "sendVerificationCode.errors.0.code", "VERIFICATION_TOO_SOON")
	w.want(got, "sendVerificationCode.sentTo", nil)
	if again := at(w, got, "sendVerificationCode.resendAt"); !again.Equal(first) {
		t.Errorf("again at %v, want %v", again, first)
	}
	if text := w.at(got, "sendVerificationCode.errors.0.message").(string); !strings.Contains(text, " seconds") {
		t.Error(text)
	}
	for field, in := range map[string]map[string]any{
		"orderIds.1": vars("scene", "COMBINED_PAYMENT", "kind", "SMS", "orderIds", []string{orders[0], w.me.ID.Encode(models.PrefixAccount)}),
		"kind":       vars("scene", "WITHDRAWAL", "kind", "TOTP"),
		"funding":    vars("scene", "SETTINGS", "kind", "SMS", "funding", in["funding"]),
	} {
		got := w.ask(sendCode, "in", in)
		var path []string
		for _, step := range w.at(got, "sendVerificationCode.errors.0.field").([]any) {
			path = append(path, step.(string))
		}
		if strings.Join(path, ".") != field {
			t.Errorf("at %v, want %s: %v", path, field, got)
		}
	}
}

func at(w *world, v any, path string) time.Time {
	w.Helper()
	out, err := time.Parse(time.RFC3339Nano, w.at(v, path).(string))
	w.must(err)
	return out
}

// An app is bound with a code and confirmed with its first; then it is one of the ways.
func TestTotp(t *testing.T) {
	w := newWorld(t)
	w.firm()
	w.want(w.ask(enroll), "enrollTotp.errors.0.__typename", "VerificationRequired")
	w.want(w.ask(confirm, "code", "000000"), "confirmTotp.errors.0.code", "INVALID_INPUT")
	w.ask(sendCode, "in", vars("scene", "SETTINGS", "kind", "SMS"))
	got := w.ask(enroll, "code", w.lastCode())
	key, err := otp.NewKeyFromURL(w.at(got, "enrollTotp.provisioningUri").(string))
	w.must(err)
	if key.AccountName() != "Lin" || key.Issuer() != "paydesk" {
		t.Error(key)
	}
	code, err := totp.GenerateCode(key.Secret(), time.Now())
	w.must(err)
	got = w.ask(confirm, "code", "x"+code)
	w.want(got, "confirmTotp.enrolled", false)
	w.want(got, "confirmTotp.errors.0.code", "VERIFICATION_FAILED")
	w.want(got, "confirmTotp.errors.0.field.0", "code")
	w.want(w.ask(`{ viewer { totpEnrolled } }`), "viewer.totpEnrolled", false) // begun is not bound
	w.want(w.ask(confirm, "code", code), "confirmTotp.enrolled", true)
	w.want(w.ask(`{ viewer { totpEnrolled } }`), "viewer.totpEnrolled", true)
	got = w.ask(turn, "in", vars("operationProtection", false))
	w.want(got, "updateAccountSettings.errors.0.deliveries.2.kind", "TOTP")
	w.want(got, "updateAccountSettings.errors.0.deliveries.2.target", "Authenticator app")
	w.want(w.ask(sendCode, "in", vars("scene", "SETTINGS", "kind", "TOTP")), "sendVerificationCode.sentTo", nil)
	next, err := totp.GenerateCode(key.Secret(), time.Now().Add(30*time.Second)) // the step after the one that was taken
	w.must(err)
	w.want(w.ask(turn, "in", vars("operationProtection", false, "verificationCode", next)), "updateAccountSettings.settings.operationProtection", false)
}
