package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// billDay is a day of a provider's zone, from midnight to midnight, as a layout of package time writes it. Over says that it has ended on
// the product's clock: its statement is there.
func (s *Sandbox) billDay(layout, text string, zone *time.Location) (from, to time.Time, over bool, err error) {
	from, err = time.ParseInLocation(layout, text, zone)
	to = from.AddDate(0, 0, 1)
	return from.UTC(), to.UTC(), err == nil && !s.clock.Now().Before(to), err
}

// ownURL is the sandbox's address as its caller has it: what it hands out to be fetched lies there.
func ownURL(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// ticket opens a day's file for a while, on the wall clock, to whoever holds it.
func ticket(secret, day string, life time.Duration) string {
	open := day + "." + strconv.FormatInt(time.Now().Add(life).Unix(), 10)
	return open + "." + ticketMAC(secret, open)
}

// redeem gives a ticket's day.
func redeem(secret, text string) (day string, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || !hmac.Equal([]byte(parts[2]), []byte(ticketMAC(secret, parts[0]+"."+parts[1]))) {
		return "", false
	}
	end, err := strconv.ParseInt(parts[1], 10, 64)
	return parts[0], err == nil && time.Now().Unix() <= end
}

func ticketMAC(secret, text string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// plainCell is what may stand in a cell of files that know no quoting.
func plainCell(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(",`\"\r\n\t", r) {
			return ' '
		}
		return r
	}, text)
}

// yuan writes minor units of CNY.
func yuan(minor int64) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	return fmt.Sprintf("%s%d.%02d", sign, minor/100, minor%100)
}
