package policy

import "testing"

// Whatever a profile holds, Load answers with a policy or an error.
func FuzzParse(f *testing.F) {
	for _, name := range Profiles {
		source, err := profiles.ReadFile("profiles/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Add([]byte("extends: default\nname: x\nchannels: &a [*a]\n"))
	f.Add([]byte("extends: default\ntop_up: {suggested: {CNY: {a: 1}}}\n"))
	f.Add([]byte("extends: default\n? [1]\n: 2\n"))
	f.Add([]byte("extends: default\nregions: ~\nname: ~\nsupport: ~\ncards: {brands: ~}\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		p, err := parse("fuzz", source, 0)
		if (p == nil) == (err == nil) {
			t.Errorf("%v, %v", p, err)
		}
	})
}
