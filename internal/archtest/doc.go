// Package archtest holds the tests that keep the house as it was planned: who may import whom, that every business table
// carries the account, that both dialects have the same schema, and that the SQL stays portable.
package archtest
