package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// report prints ratios: the first target against each of the others.
func report(w io.Writer, h *harness, results []result) {
	fmt.Fprintf(w, "\n%d accounts, %d orders; median of %d rounds of %g s, [lowest–highest]\n", h.size.Accounts, h.size.Orders, h.config.rounds, h.seconds)
	fmt.Fprintln(w, "ratio: requests a second of", h.targets[0].name, "to those of the other in the same round; CPU: of the server's process, a request")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\noperation\tclients\tcompared with\tratio\tgoal\treq/s\tof the other\tCPU µs\tof the other\tCPU ratio\tgoal\tMariaDB µs\tof the other\tp50/p99 ms\tof the other")
	for _, r := range results {
		if r.samples != nil {
			rows(t, h, r)
		}
	}
	_ = t.Flush()
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\none operation costs\tat\tSQL round trips\tallocations\tbytes")
	for _, r := range results {
		for _, x := range h.takers(r.operation) {
			if c, ok := r.costs[x.name]; ok {
				fmt.Fprintf(t, "%s\t%s\t%.1f\t%s\t%s\n", r.name, x.name, c.statements, count(c.mallocs), count(c.bytes))
			}
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w, "round trips as MariaDB counts them, BEGIN, COMMIT and the removal of told outbox rows included")
}

func count(v float64) string {
	if v < 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", v)
}

func rows(w io.Writer, h *harness, r result) {
	takers := h.takers(r.operation)
	first := r.samples[takers[0].name]
	if len(takers) == 1 {
		fmt.Fprintf(w, "%s\t%d\t\t\t\t%.0f\t\t%d\t\t\t\t%d\t\t%s\n", r.name, r.clients, mid(first, perSecond), micro(first, cpuOf), micro(first, dbOf), latency(first))
	}
	for _, other := range takers[1:] {
		o := r.samples[other.name]
		ratios := make([]float64, len(first))
		for i := range first {
			ratios[i] = first[i].PerSecond() / o[i].PerSecond()
		}
		m := median(ratios)
		c := median(cpuRatios(first, o))
		fmt.Fprintf(w, "%s\t%d\t%s\t%.2f [%.2f–%.2f]\t%s\t%.0f\t%.0f\t%d\t%d\t%.3f\t%s\t%d\t%d\t%s\t%s\n", r.name, r.clients, other.name, m, ratios[0], ratios[len(ratios)-1], judge(r, r.goal, other.name, m),
			mid(first, perSecond), mid(o, perSecond), micro(first, cpuOf), micro(o, cpuOf), c, judge(r, r.cpuGoal, other.name, c), micro(first, dbOf), micro(o, dbOf), latency(first), latency(o))
	}
}

// cpuRatios are those of the other's CPU to ours, a request, round by round.
func cpuRatios(ours, others []sample) []float64 {
	out := make([]float64, len(ours))
	for i := range ours {
		out[i] = cpuOf(others[i]) / max(1, cpuOf(ours[i]))
	}
	return out
}

// judge says whether a ratio reaches its goal, where it has one.
func judge(r result, goals map[string]float64, other string, m float64) string {
	g, ok := goals[other]
	switch {
	case !ok || r.clients != 16:
		return ""
	case m >= g:
		return fmt.Sprintf("%.2f reached", g)
	}
	return fmt.Sprintf("%.2f MISSED", g)
}

func perSecond(s sample) float64 { return s.PerSecond() }
func cpuOf(s sample) float64     { return float64(s.cpu) }
func dbOf(s sample) float64      { return float64(s.dbCPU) }

func mid(list []sample, of func(sample) float64) float64 {
	values := make([]float64, len(list))
	for i, s := range list {
		values[i] = of(s)
	}
	return median(values)
}

func micro(list []sample, of func(sample) float64) int64 {
	return time.Duration(mid(list, of)).Microseconds()
}

func latency(list []sample) string {
	p50 := mid(list, func(s sample) float64 { return float64(s.P50) })
	p99 := mid(list, func(s sample) float64 { return float64(s.P99) })
	return fmt.Sprintf("%.1f/%.1f", p50/1e6, p99/1e6)
}
