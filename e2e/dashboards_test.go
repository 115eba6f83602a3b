package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// exported is what a server shows at /metrics.
type exported struct {
	families map[string]string              // name → type
	series   map[string]map[string]struct{} // name of samples, _bucket and the like included → labels they have
}

var (
	sample     = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? `)
	sampleName = regexp.MustCompile(`([a-z_]+)="`)
)

func (s *server) metrics(t testing.TB) exported {
	t.Helper()
	res, err := web.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := exported{map[string]string{}, map[string]map[string]struct{}{}}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(strings.TrimSpace(rest), " ")
			out.families[name] = kind
		} else if m := sample.FindStringSubmatch(line); m != nil {
			labels := out.series[m[1]]
			if labels == nil {
				labels = map[string]struct{}{"instance": {}, "job": {}} // Prometheus' own
				out.series[m[1]] = labels
			}
			for _, l := range sampleName.FindAllStringSubmatch(m[2], -1) {
				labels[l[1]] = struct{}{}
			}
		}
	}
	return out
}

// worked is what a server shows once it has done some of everything.
func worked(t *testing.T) exported {
	t.Helper()
	s := start(t, nil, options{})
	lin := s.customer(t)
	lin.charge(t, "ALIPAY", "20.00")
	if r, err := lin.pay(unique("pay"), lin.orders(t, 1, "5.00")[0], balanceOf("5.00")); err != nil || r.Payment == nil {
		t.Fatal(r, err)
	}
	var out exported
	await(t, readyWithin, "the first sweeps", func() (bool, error) { // they look once a second
		out = s.metrics(t)
		return out.families["paydesk_sweep_last_run_timestamp_seconds"] != "", nil
	})
	// Shown for each element that is deprecated; while none is, there is nothing to show.
	if schema, err := os.ReadFile("../docs/schema.graphqls"); err != nil || !strings.Contains(string(schema), "@deprecated") {
		out.families["paydesk_graphql_deprecated_total"] = "counter"
		out.series["paydesk_graphql_deprecated_total"] = map[string]struct{}{"instance": {}, "job": {}, "element": {}}
	}
	return out
}

var (
	quoted    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	metric    = regexp.MustCompile(`\b(?:paydesk|go|process)_[a-z0-9_]+\b`)
	selection = regexp.MustCompile(`\b((?:paydesk|go|process)_[a-z0-9_]+)\{([^}]*)\}`)
	matcher   = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	grouping  = regexp.MustCompile(`\bby \(([^)]*)\)`)
)

// check fails for an expression that asks for what nobody exports: a metric, a label in a selection, a label to group by.
func (e exported) check(t *testing.T, where, expr string) {
	t.Helper()
	expr = quoted.ReplaceAllString(expr, "")
	names := metric.FindAllString(expr, -1)
	if len(names) == 0 {
		t.Errorf("%s asks for nothing of ours: %s", where, expr)
	}
	all := map[string]struct{}{}
	for _, name := range names {
		if e.series[name] == nil {
			t.Errorf("%s: nobody exports %s", where, name)
		}
		maps.Copy(all, e.series[name])
	}
	for _, s := range selection.FindAllStringSubmatch(expr, -1) {
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			if _, ok := e.series[s[1]][m[1]]; !ok {
				t.Errorf("%s: %s has no label %s", where, s[1], m[1])
			}
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			if _, ok := all[strings.TrimSpace(label)]; !ok {
				t.Errorf("%s: no label %s to group by", where, strings.TrimSpace(label))
			}
		}
	}
	if strings.Count(expr, "(") != strings.Count(expr, ")") {
		t.Errorf("%s: unbalanced: %s", where, expr)
	}
}

type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Type, Definition string }
	}
	Panels []struct {
		ID                       int
		Type, Title, Description string
		Datasource               struct{ UID string }
		GridPos                  struct{ H, W, X, Y int }
		FieldConfig              struct {
			Defaults struct{ Unit string }
		}
		Targets []struct {
			Expr, LegendFormat string
			Datasource         struct{ UID string }
		}
	}
}

// TestDashboards: the dashboard, the alerts and the page about metrics speak of what a running server exports, all of it.
func TestDashboards(t *testing.T) {
	e := worked(t)
	t.Run("paydesk.json", func(t *testing.T) {
		text, err := os.ReadFile("../docs/grafana/paydesk.json")
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		if d.SchemaVersion < 39 || d.UID == "" || len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" {
			t.Errorf("schema %d, uid %q, variables %v", d.SchemaVersion, d.UID, d.Templating.List)
		}
		for _, v := range d.Templating.List[1:] {
			e.check(t, "variable "+v.Name, v.Definition)
		}
		ids, shown := map[int]bool{}, map[string]bool{}
		for _, p := range d.Panels {
			if p.Title == "" || ids[p.ID] || p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 {
				t.Errorf("panel %d, %q: no title, a double id, or outside the grid", p.ID, p.Title)
			}
			ids[p.ID] = true
			if p.Type == "row" {
				continue
			}
			if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q lacks its description, unit, queries or the data source's variable", p.Title)
			}
			for _, target := range p.Targets {
				if target.Datasource.UID != "${datasource}" || target.LegendFormat == "" {
					t.Errorf("panel %q: a query without a name or with a data source of its own", p.Title)
				}
				e.check(t, "panel "+p.Title, target.Expr)
				for _, name := range metric.FindAllString(target.Expr, -1) {
					shown[family(e, name)] = true
				}
			}
		}
		for name := range e.families {
			if strings.HasPrefix(name, "paydesk_") && !shown[name] {
				t.Errorf("no panel shows %s", name)
			}
		}
	})
	t.Run("alerts.yml", func(t *testing.T) {
		text, err := os.ReadFile("../docs/grafana/alerts.yml")
		if err != nil {
			t.Fatal(err)
		}
		var rules struct {
			Groups []struct {
				Rules []struct {
					Alert, Expr, For    string
					Labels, Annotations map[string]string
				}
			}
		}
		if err := yaml.Unmarshal(text, &rules); err != nil {
			t.Fatal(err)
		}
		page := operations(t)
		seen := map[string]bool{}
		for _, g := range rules.Groups {
			for _, r := range g.Rules {
				if seen[r.Alert] || !slices.Contains([]string{"page", "warn", "info"}, r.Labels["severity"]) || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
					t.Errorf("%s comes twice, or lacks its severity, summary or description", r.Alert)
				}
				seen[r.Alert] = true
				e.check(t, r.Alert, r.Expr)
				if !strings.Contains(page, "| `"+r.Alert+"` |") {
					t.Errorf("docs/operations.md does not say what to do about %s", r.Alert)
				}
			}
		}
		if len(seen) < 5 {
			t.Errorf("%d alerts", len(seen))
		}
	})
	t.Run("operations.md", func(t *testing.T) {
		var described []string
		for _, m := range regexp.MustCompile("(?m)^\\| `(paydesk_[a-z_]+)` \\| ([a-z]+) \\|").FindAllStringSubmatch(operations(t), -1) {
			described = append(described, m[1])
			if e.families[m[1]] != m[2] {
				t.Errorf("%s is described as a %s, and is a %q", m[1], m[2], e.families[m[1]])
			}
		}
		for name := range e.families {
			if strings.HasPrefix(name, "paydesk_") && !slices.Contains(described, name) {
				t.Errorf("docs/operations.md does not describe %s", name)
			}
		}
	})
}

func operations(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// family is the metric that a sample belongs to.
func family(e exported, name string) string {
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && e.families[base] == "histogram" {
			return base
		}
	}
	return name
}
