package database_test

import (
	"context"
	"database/sql"
	"net/url"
	"testing"

	"github.com/go-sql-driver/mysql"

	"paydesk/internal/platform/testenv"
)

// What the wrapper costs beside the bare driver: the same read, in one protocol or the other.
func BenchmarkRead(b *testing.B) {
	home := testenv.MySQL(b)
	ctx := context.Background()
	put(b, ctx, home.DB, "a", "1")
	b.Run("paydesk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			get(b, ctx, home.DB, "a")
		}
	})
	b.Run("gorm", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var row struct{ Value string }
			if err := home.DB.Gorm(ctx).Table("settings").Where("name = ?", "a").Take(&row).Error; err != nil {
				b.Fatal(err)
			}
		}
	})
	cfg, err := mysql.ParseDSN(bareDSN(b, home.DatabaseURL))
	if err != nil {
		b.Fatal(err)
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		b.Fatal(err)
	}
	bare := sql.OpenDB(connector)
	defer bare.Close()
	b.Run("interpolated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var value string
			if err := bare.QueryRow(choose, "a").Scan(&value); err != nil {
				b.Fatal(err)
			}
		}
	})
	stmt, err := bare.Prepare(choose)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("prepared", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var value string
			if err := stmt.QueryRow("a").Scan(&value); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A transaction of four statements, ours and by hand.
func BenchmarkTransaction(b *testing.B) {
	home := testenv.MySQL(b)
	ctx := context.Background()
	put(b, ctx, home.DB, "a", "1")
	b.Run("paydesk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			err := home.DB.InTx(ctx, func(ctx context.Context) error {
				for range 4 {
					if _, err := home.DB.Exec(ctx, update, "1", "a"); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	bare, err := sql.Open("mysql", bareDSN(b, home.DatabaseURL))
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	stmt, err := bare.Prepare(update)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tx, err := bare.Begin()
			if err != nil {
				b.Fatal(err)
			}
			own := tx.Stmt(stmt)
			for range 4 {
				if _, err := own.Exec("1", "a"); err != nil {
					b.Fatal(err)
				}
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func bareDSN(b *testing.B, address string) string {
	b.Helper()
	dsn := mysql.NewConfig()
	dsn.InterpolateParams = true
	setAddress(b, dsn, address)
	return dsn.FormatDSN()
}

func setAddress(b *testing.B, cfg *mysql.Config, address string) {
	b.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, u.Path[1:]
}
