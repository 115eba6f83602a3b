package unionpay

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/models"
)

// A file that is not there, said over HTTP and signed: of the last day it may come, of an earlier one there were no trades.
func TestNoFile(t *testing.T) {
	parties(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := fields{"merId": merchant, "txnType": "76", "respCode": "98", "settleDate": r.FormValue("settleDate"), "signPubKeyCert": cast.unionpay.pem()}
		if err := (&Adapter{key: cast.unionpay.key}).sign(f); err != nil {
			t.Error(err)
		}
		text := ""
		for _, name := range names(f) {
			text += fmt.Sprintf("&%s=%s", name, f[name])
		}
		io.WriteString(w, text[1:])
	}))
	defer server.Close()
	c := config(t)
	c.BaseURL, c.FileURL, c.Mode = server.URL, server.URL, guard.Sandbox
	a, err := New(models.ChannelUnionPayPersonal, c)
	if err != nil {
		t.Fatal(err)
	}
	today := channel.DayOf(a, time.Now())
	if s, err := a.Statement(t.Context(), today.Next(-1)); !errors.Is(err, channel.ErrNoStatement) {
		t.Errorf("of yesterday: %+v %v", s, err)
	}
	if s, err := a.Statement(t.Context(), today.Next(-3)); err != nil || s.Day != today.Next(-3) || len(s.Lines) != 0 {
		t.Errorf("of three days ago: %+v %v", s, err)
	}
}
