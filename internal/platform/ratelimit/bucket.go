package ratelimit

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"paydesk/models"
)

// budget is how much there is at once, and how quickly it comes back.
type budget struct {
	burst int
	each  float64 // nanoseconds until one more has come
	lease int     // what one instance passes before Redis is told: about a second's worth
}

func perMinute(n int) budget {
	return budget{burst: n, each: float64(time.Minute) / float64(n), lease: max(1, n/int(time.Minute/time.Second))}
}

// worth is the time in which so much comes back.
func (b *budget) worth(units int) time.Duration { return time.Duration(float64(units) * b.each) }

type kind uint8

const (
	kindUser kind = iota
	kindService
	kindAccount
	kindAddress
	kindMoney
	kindServiceMoney
	kindSignIn
)

var kindNames = [...]string{"user", "service", "account", "address", "money", "service-money", "sign-in"}

// key is whose budget it is. A struct and no text: it is made for every operation.
type key struct {
	kind    kind
	account models.ID
	subject string
}

func (k key) String() string {
	if k.kind == kindAccount {
		return "rate:account:" + k.account.String()
	}
	sum := sha256.Sum256([]byte(k.subject)) // often an e-mail address, which Redis need not know
	return "rate:" + kindNames[k.kind] + ":" + hex.EncodeToString(sum[:16])
}

// bucket is what this process knows of a budget. Its lock is held while Redis is asked, so that a lease is never exceeded.
type bucket struct {
	sync.Mutex
	spent int       // passed here, and not yet told to Redis; below zero: told already, and not yet passed
	empty time.Time // from a refusal: when all units would be there, less the whole budget
	local time.Time // while Redis is away: when all units are there
}

// opens is how long until Redis can pass so many units, by what it last refused; it may be less than nothing.
func (b *bucket) opens(of *budget, units int, now time.Time) time.Duration {
	return b.empty.Add(of.worth(units)).Sub(now)
}

func (b *bucket) refused(of *budget, units int, now time.Time, wait time.Duration) {
	b.empty = now.Add(wait - of.worth(units))
}

// alone is the wait for so many units, by what this process has passed itself.
func (b *bucket) alone(of *budget, units int, now time.Time) time.Duration {
	return b.after(of, units, now).Sub(now) - of.worth(of.burst)
}

// after is when all units are there again if so many are taken.
func (b *bucket) after(of *budget, units int, now time.Time) time.Time {
	from := now
	if b.local.After(now) {
		from = b.local
	}
	return from.Add(of.worth(units))
}

const (
	shards = 16
	// kept are the buckets of one process, about 300 bytes each. One that is forgotten with an unfinished lease gives that lease away.
	kept = 64 << 10
)

// table keeps the buckets that were used last. Its parts have a lock each.
type table struct {
	seed  maphash.Seed
	parts [shards]*lru.Cache[key, *bucket]
}

func newTable() (t table) {
	t.seed = maphash.MakeSeed()
	for i := range t.parts {
		t.parts[i], _ = lru.New[key, *bucket](kept / shards) // fails for a size below one alone
	}
	return t
}

func (t *table) bucket(k key) *bucket {
	part := t.parts[maphash.Comparable(t.seed, k)%shards]
	if b, ok := part.Get(k); ok {
		return b
	}
	fresh := &bucket{}
	if b, ok, _ := part.PeekOrAdd(k, fresh); ok {
		return b
	}
	return fresh
}
