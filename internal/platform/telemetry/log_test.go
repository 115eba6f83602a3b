package telemetry

import (
	"bytes"
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"paydesk/internal/platform/auth"
	"paydesk/models"
)

func TestLinesCarryTheirContext(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, "warn", "json").With("part", "x")
	account := models.NewID()
	ctx := auth.With(WithRequestID(context.Background(), "r-1"), &auth.Viewer{Role: auth.Finance, AccountID: account})
	log.InfoContext(ctx, "below the level")
	log.WarnContext(ctx, "seen")
	for _, want := range []string{`"msg":"seen"`, `"request":"r-1"`, `"account":"` + account.Encode("acc") + `"`, `"part":"x"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s lacks %s", out.String(), want)
		}
	}
	if strings.Contains(out.String(), "below") {
		t.Error("the level is not kept")
	}
	out.Reset()
	NewLogger(&out, "info", "text").InfoContext(auth.With(ctx, &auth.Viewer{Role: auth.Operator}), "m")
	if !strings.Contains(out.String(), "role=OPERATOR") {
		t.Error(out.String())
	}
}

// A line names payments and accounts as the API does, and the account once.
func TestLinesNameIDs(t *testing.T) {
	var out bytes.Buffer
	payment, account, other := models.NewID(), models.NewID(), models.NewID()
	ctx := auth.With(context.Background(), &auth.Viewer{Role: auth.Finance, AccountID: account})
	NewLogger(&out, "info", "json").InfoContext(ctx, "m", "payment", payment, "account", account, "inbox", other, "difference", other)
	for _, want := range []string{`"payment":"` + payment.Encode("pay") + `"`, `"account":"` + account.Encode("acc") + `"`, `"inbox":"` + other.String() + `"`, `"difference":"` + other.Encode(models.PrefixDifference) + `"`} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("%s has not one %s", out.String(), want)
		}
	}
	if strings.Count(out.String(), `"account"`) != 1 {
		t.Errorf("%s names the account twice", out.String())
	}
}

func TestRegistryServes(t *testing.T) {
	w := httptest.NewRecorder()
	MetricsHandler(NewRegistry()).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "go_goroutines") {
		t.Fatal(w.Code)
	}
}
