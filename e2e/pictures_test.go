package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paydesk/internal/platform/testenv"
)

// scanned are the channels whose payers scan a code.
var scanned = []string{"ALIPAY", "QQ_WALLET", "HUAWEI_PAY"}

// pictures: the code that we serve for each channel, drawn by a browser and read by zbarimg, holds what the payment says.
func pictures(t *testing.T, s *server) {
	t.Helper()
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Fatal("zbarimg is wanted (Debian: zbar-tools): ", err)
	}
	c := s.customer(t)
	var want []string
	page := "<!doctype html><body style='margin:0;background:#fff'>"
	for _, channel := range scanned {
		content, picture := c.code(t, channel)
		want = append(want, content)
		page += "<div style='width:900px;height:900px;overflow:hidden'>" + picture + "</div>"
	}
	dir := t.TempDir()
	file, shot := filepath.Join(dir, "codes.html"), filepath.Join(dir, "codes.png")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(testenv.Chromium(t), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir="+filepath.Join(dir, "browser"),
		fmt.Sprintf("--window-size=900,%d", 900*len(scanned)), "--screenshot="+shot, "file://"+file).CombinedOutput(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, out)
	}
	out, err := exec.Command(zbar, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", shot).Output()
	if err != nil {
		t.Fatal("zbarimg: ", err)
	}
	read := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(read)
	slices.Sort(want)
	if !slices.Equal(read, want) {
		t.Errorf("read %q\nwant %q", read, want)
	}
}

// code starts a payment and fetches its code as a picture, by the signed link alone.
func (c *customer) code(t *testing.T, channel string) (content, picture string) {
	t.Helper()
	var out struct {
		TopUp struct {
			Payment *struct {
				NextAction *struct{ Content, ImageURL string }
			}
			Errors []userError
		}
	}
	c.must(t, `mutation($input: TopUpInput!) { topUp(input: $input) { payment { nextAction { ... on ScanQrCode { content imageUrl } } } errors { code message } } }`,
		map[string]any{"input": map[string]any{"idempotencyKey": unique("code"), "online": map[string]any{"channel": channel, "amount": money("12.00")}}}, &out)
	if out.TopUp.Payment == nil || out.TopUp.Payment.NextAction == nil {
		t.Fatalf("%s: %+v", channel, out)
	}
	action := *out.TopUp.Payment.NextAction
	r, err := http.NewRequest(http.MethodGet, action.ImageURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, svg := answerTo(t, r)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/svg+xml" {
		t.Fatalf("%s: %s %s", channel, res.Status, svg)
	}
	return action.Content, svg
}
