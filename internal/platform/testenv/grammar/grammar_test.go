package grammar

import "testing"

func TestCheck(t *testing.T) {
	good := []string{
		"SELECT `id` FROM `orders` WHERE account_id = ? AND (created_at < ? OR id < ?) ORDER BY id DESC LIMIT 20",
		"INSERT INTO a (b) SELECT ? FROM c WHERE NOT EXISTS (SELECT 1 FROM d)",
		"INSERT INTO a (b) VALUES (?) ON DUPLICATE KEY UPDATE b = VALUES(b)",
		"UPDATE `a` SET `b` = CASE id WHEN ? THEN ? END WHERE `id` IN (?,?)",
		"SELECT * FROM a WHERE id = ? FOR UPDATE",
		"WITH x AS (SELECT 1) SELECT *, ROW_NUMBER() OVER (ORDER BY 1) FROM x",
		"SELECT 'RETURNING, and it''s NOW() SKIP LOCKED', `call me` FROM a",
		"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT sp0x1",
	}
	for _, text := range good {
		if err := Check("mysql", text); err != nil {
			t.Error(err)
		}
	}
	bad := []string{
		"SELECT id FROM a LIMIT 1 FOR UPDATE SKIP LOCKED",
		"SELECT id FROM a for  share",
		"INSERT INTO a (b) VALUES (1) RETURNING b",
		"INSERT IGNORE INTO a (b) VALUES (1)",
		"SELECT * FROM a, LATERAL (SELECT 1) x",
		"CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET b = 1",
		"CREATE PROCEDURE p() SELECT 1",
		"CALL p()",
		"UPDATE a SET b = NOW(6)",
		"INSERT INTO a (b) VALUES (1) ON CONFLICT DO NOTHING",
		"SELECT doc->>'$.a' FROM a",
		"INSERT INTO a (b) VALUES (1) AS new ON DUPLICATE KEY UPDATE b = new.b",
		"SELECT FROM WHERE",
	}
	for _, text := range bad {
		if Check("mysql", text) == nil {
			t.Error("let through:", text)
		}
	}
	if err := Check("sqlite", "INSERT INTO a (b) VALUES (1) ON CONFLICT DO NOTHING"); err != nil {
		t.Error(err)
	}
}

func TestGateRemembers(t *testing.T) {
	g := Gate{Dialect: "mysql"}
	for range 2 {
		if g.Observe("CALL p()") == nil || g.Observe("SELECT 1") != nil {
			t.Fatal("wrong")
		}
	}
}
