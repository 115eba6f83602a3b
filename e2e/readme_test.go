package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"paydesk/internal/platform/config"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// variableRow is a row of README's table of variables.
func variableRow(v config.Variable) string {
	def := ""
	if v.Default != "" {
		def = "`" + v.Default + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s |", v.Name, def, v.Doc)
}

// TestReadmeVariables: the README's table is config.Doc, row by row. What is wrong is printed as it should be.
func TestReadmeVariables(t *testing.T) {
	var want strings.Builder
	for _, v := range config.Doc() {
		want.WriteString(variableRow(v) + "\n")
	}
	text := readme(t)
	if !strings.Contains(text, "| variable | default | what it says |\n| --- | --- | --- |\n"+want.String()+"\n") {
		t.Errorf("the README's table of variables should be:\n%s", want.String())
	}
}

// TestReadmeSession: the first session can be pasted into a shell as it stands.
func TestReadmeSession(t *testing.T) {
	block := regexp.MustCompile("(?s)```bash\n(base=.*?)```").FindStringSubmatch(readme(t))
	if block == nil {
		t.Fatal("the README has no first session")
	}
	needNode(t)
	s := start(t, nil, options{})
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", strings.ReplaceAll(block[1], "http://127.0.0.1:8080", s.URL))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`"status":"SUCCEEDED"`, `"kind":"ORDER_PAYMENT"`, `"kind":"TOP_UP"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the session does not show %s:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), `"errors":[{`) {
		t.Errorf("the session shows an error:\n%s", out)
	}
}

// TestReadmePictures: every picture the README shows is there.
func TestReadmePictures(t *testing.T) {
	pictures := regexp.MustCompile(`!\[[^]]+\]\(([^)]+)\)`).FindAllStringSubmatch(readme(t), -1)
	if len(pictures) == 0 {
		t.Error("the README shows nothing")
	}
	for _, p := range pictures {
		if _, err := os.Stat("../" + p[1]); err != nil {
			t.Error(err)
		}
	}
}
