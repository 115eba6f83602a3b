package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// web answers each request on its own; many run at once.
var web = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// user is somebody with a token on a server.
type user struct {
	base, token string
}

// answerTo sends a request and reads all of the answer.
func answerTo(t testing.TB, r *http.Request) (res *http.Response, text string) {
	t.Helper()
	res, err := web.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// errTransport says that no answer came: the server died or was not there.
var errTransport = errors.New("no answer")

// ask runs an operation; out takes its data. Top-level errors are errors.
func (u user) ask(query string, variables map[string]any, out any) error {
	body, _ := json.Marshal(map[string]any{"query": query, "variables": variables})
	r, err := http.NewRequest(http.MethodPost, u.base+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+u.token)
	res, err := web.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", errTransport, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", errTransport, err)
	}
	var answer struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("HTTP %s: %s", res.Status, text)
	}
	if len(answer.Errors) > 0 {
		return fmt.Errorf("%s: %s", answer.Errors[0].Extensions.Code, answer.Errors[0].Message)
	}
	return json.Unmarshal(answer.Data, out)
}

func (u user) must(t testing.TB, query string, variables map[string]any, out any) {
	t.Helper()
	if err := u.ask(query, variables, out); err != nil {
		t.Fatal(err)
	}
}

// post sends JSON to a development endpoint and reads JSON where one comes.
func post(t testing.TB, address string, in, out any) {
	t.Helper()
	body, _ := json.Marshal(in)
	res, err := web.Post(address, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode/100 != 2 {
		t.Fatalf("POST %s: %s: %s", address, res.Status, text)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatalf("POST %s: %v: %s", address, err, text)
		}
	}
}

// signIn gets a development token (contract.md §6).
func (s *server) signIn(t testing.TB, role, accountID string) user {
	t.Helper()
	in := map[string]string{"role": role}
	if accountID != "" {
		in["accountId"] = accountID
	}
	var out struct{ Token string }
	post(t, s.URL+"/dev/token", in, &out)
	return user{base: s.URL, token: out.Token}
}

// advance moves the product's clock; due work is done when it answers.
func (s *server) advance(t testing.TB, by string) {
	t.Helper()
	post(t, s.URL+"/dev/clock", map[string]string{"advance": by}, nil)
}

// behave tells the sandbox how a channel notifies, and calls its answers by which fault.
func (s *server) behave(t testing.TB, channel string, how map[string]string) {
	t.Helper()
	how["channel"] = channel
	post(t, s.URL+"/sandbox/behaviour", how, nil)
}

// payer plays the person with the phone: opens what the code says and chooses on the page it leads to.
func payer(content, outcome string, more ...string) error {
	res, err := web.Get(content)
	if err != nil {
		return err
	}
	res.Body.Close()
	form := url.Values{"outcome": {outcome}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	res, err = web.Post(res.Request.URL.String(), "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(res.Body)
		return fmt.Errorf("the payer's page: %s: %s", res.Status, text)
	}
	return nil
}
