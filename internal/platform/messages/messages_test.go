package messages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"go.yaml.in/yaml/v3"

	"paydesk/internal/money"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// enum reads an enum's values from the served schema, so that a new value without a message fails here.
func enum(t *testing.T, name string) []string {
	t.Helper()
	paths, err := filepath.Glob("../../../graph/schema/*.graphqls")
	if err != nil || len(paths) == 0 {
		t.Fatal("no schema found", err)
	}
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		document, parseErr := parser.ParseSchema(&ast.Source{Name: path, Input: string(source)})
		if parseErr != nil {
			t.Fatal(parseErr)
		}
		if definition := document.Definitions.ForName(name); definition != nil {
			var values []string
			for _, v := range definition.EnumValues {
				values = append(values, v.Name)
			}
			return values
		}
	}
	t.Fatalf("enum %s is not in the schema", name)
	return nil
}

// HW-R9: every code that a client can be told has a text.
func TestEveryValueOfTheSchemaHasItsMessage(t *testing.T) {
	for name, prefix := range map[string]string{"UserErrorCode": "", "TransactionKind": "transaction.", "PaymentChannel": "channel.name."} {
		for _, value := range enum(t, name) {
			if !messages.Has(prefix + value) {
				t.Errorf("%s.%s has no message %s", name, value, prefix+value)
			}
		}
	}
}

var literal = regexp.MustCompile(`"((?:payment\.note|payment\.subject|transaction|selection|remedy|benefit\.reason|funding\.reason|channel\.(?:reason|name))\.[A-Za-z_.]*[A-Za-z])"`)

// Every key that the code names stands in the catalogue.
func TestKeysOfTheCodeExist(t *testing.T) {
	found := 0
	for _, root := range []string{"../../billing", "../../../resolvers"} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range literal.FindAllStringSubmatch(string(source), -1) {
				if found++; !messages.Has(m[1]) {
					t.Errorf("%s: no message %s", path, m[1])
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if found < 8 {
		t.Errorf("only %d keys found: are they written another way?", found)
	}
}

type file struct {
	keys  []string
	texts map[string][]string
}

func read(t *testing.T, locale string) file {
	t.Helper()
	source, err := os.ReadFile("catalogue/" + locale + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		t.Fatal(err)
	}
	f := file{texts: map[string][]string{}}
	nodes := document.Content[0].Content
	for i := 0; i < len(nodes); i += 2 {
		key := nodes[i].Value
		f.keys = append(f.keys, key)
		f.texts[key] = []string{nodes[i+1].Value}
		if nodes[i+1].Kind == yaml.SequenceNode {
			f.texts[key] = nil
			for _, n := range nodes[i+1].Content {
				f.texts[key] = append(f.texts[key], n.Value)
			}
		}
	}
	return f
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

func placeholders(text string) string {
	names := placeholder.FindAllString(text, -1)
	slices.Sort(names)
	return strings.Join(names, "")
}

// The same keys in the same order, the same wordings with the same placeholders, in each language.
func TestLanguagesAgree(t *testing.T) {
	english := read(t, "en")
	for _, locale := range messages.Locales[1:] {
		other := read(t, locale)
		if !slices.Equal(english.keys, other.keys) {
			for i, key := range english.keys {
				if i >= len(other.keys) || other.keys[i] != key {
					t.Fatalf("%s: at %d is not %s", locale, i, key)
				}
			}
			t.Fatalf("%s has keys that English has not: %v", locale, other.keys[len(english.keys):])
		}
		for _, key := range english.keys {
			if len(english.texts[key]) != len(other.texts[key]) {
				t.Errorf("%s %s: %d wordings, English has %d", locale, key, len(other.texts[key]), len(english.texts[key]))
				continue
			}
			for i, text := range english.texts[key] {
				if placeholders(text) != placeholders(other.texts[key][i]) {
					t.Errorf("%s %s: %q and %q have other placeholders", locale, key, text, other.texts[key][i])
				}
			}
		}
	}
}

func TestTextsAreFitToBeShown(t *testing.T) {
	for _, locale := range messages.Locales {
		for key, texts := range read(t, locale).texts {
			for _, text := range texts {
				if strings.TrimSpace(text) != text || text == "" {
					t.Errorf("%s %s: %q", locale, key, text)
				}
				chinese := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
				if chinese == (locale == "en") && placeholder.ReplaceAllString(text, "") != "PayPal" {
					t.Errorf("%s %s is in another language: %q", locale, key, text)
				}
				if locale == "zh-Hans" && strings.ContainsAny(text, traditionalOnly) {
					t.Errorf("traditional characters in %s: %q", key, text)
				}
				if locale == "zh-Hant" && strings.ContainsAny(text, simplifiedOnly) {
					t.Errorf("simplified characters in %s: %q", key, text)
				}
			}
		}
	}
}

// Characters of this field that one of the two scripts writes and the other does not.
const (
	simplifiedOnly  = "与专业两个为么买于从们优会传体余关内写冻减几凭则创动华协单发变叠启响团围处备复头学宝实审对将币并应开异弹当录态总战户执护报拟择换数断无时显暂术权条构样欢汇没测灵点热状环现画盘码确种签简类约级纪纯线组细织经结给络绝继续编缩网罗职联范获虚补装规视觉计认讨让训议记许论设访证评识试话询该详语误说请读课谁谈负财责账货质购费资赏转轮软较输达过运这进远连迟适选递逻邮释针钟钱铁链销锁错键镜门闭问间队阶际陆险随难静页项顺顾频题颜额风饭馆驱齐"
	traditionalOnly = "與專業兩個為麼買於從們優會傳體餘關內寫凍減幾憑則創動華協單發變疊啟響團圍處備複頭學寶實審對將幣並應開異彈當錄態總戰戶執護報擬擇換數斷無時顯暫術權條構樣歡匯沒測靈點熱狀環現畫盤碼確禮種簽簡類約級紀純線組細織經結給絡絕繼續編縮網羅職聯獲虛補裝規視覺計認討讓訓議記許論設訪證評識試話詢該詳語誤說請讀課誰談負財責賬貨質購費資賞轉輪軟較輸達過運這進遠連遲適選遞邏郵釋針鐘錢鐵鏈銷鎖錯鍵鏡門閉問間隊階際陸險隨難靜頁項順顧頻題顏額風飯館驅齊"
)

func TestText(t *testing.T) {
	limits := map[string]any{"minimum": money.New(100, "CNY"), "maximum": money.New(999999900, "CNY")}
	closed := map[string]any{"channel": models.ChannelAlipay, "reason": messages.Key("channel.reason.region")}
	for _, c := range []struct {
		locale, key string
		args        map[string]any
		want        string
	}{
		{"zh-Hans", "AMOUNT_OUT_OF_RANGE", limits, "请输入 ¥1.00 至 ¥9,999,999.00 之间的金额。"},
		{"en", "AMOUNT_OUT_OF_RANGE", nil, "This amount is outside what is allowed here. Choose another one."},
		{"en", "AMOUNT_INVALID", map[string]any{"case": "whole"}, "Enter a whole amount above zero, without decimals: this channel takes whole amounts only."},
		{"en", "AMOUNT_INVALID", map[string]any{"case": "nothing"}, "Enter an amount above zero, with no more decimals than the currency has."},
		{"en", "CHANNEL_NOT_AVAILABLE", closed, "Alipay cannot be used: It is not offered in your region. Choose another way to pay."},
		{"zh-Hant", "CHANNEL_NOT_AVAILABLE", closed, "無法使用支付寶：您所在的地區不支援該管道。請選擇其他付款方式。"},
		{"en", "selection.added", map[string]any{"count": 1}, "1 other linked order was selected automatically"},
		{"en", "selection.added", map[string]any{"count": 3}, "3 other linked orders were selected automatically"},
		{"en", "FUNDING_NOT_ALLOWED", map[string]any{"reason": messages.Key("funding.reason.postpaid")}, "A pay-per-use order is frozen from the balance alone. Choose another way to pay."},
		{"zh-Hant", "letter.order_refused.body", map[string]any{"number": "HW1", "amount": "¥1.00", "reason": "超出預算"}, "訂單 HW1（¥1.00）未通過審批，已取消。原因：「超出預算」。"},
		{"zh-Hans", "selection.added", map[string]any{"count": 3}, "已自动选中其他 3 个关联订单"},
		{"zh-Hans", "transaction.TOP_UP", map[string]any{"channel": models.ChannelWeChatPay}, "通过微信支付充值"},
		{"fr", "transaction.TOP_UP", nil, "Top-up"},
		{"en", "no.such.key", nil, "no.such.key"},
	} {
		if got := messages.Text(c.locale, c.key, c.args); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.locale, c.key, got, c.want)
		}
	}
}

func TestForField(t *testing.T) {
	for _, c := range []struct {
		field []string
		args  map[string]any
		want  string
	}{
		{[]string{"input", "email"}, nil, "Enter an e-mail address such as name@example.com."},
		{[]string{"input", "orders", "0", "number"}, map[string]any{"number": "HW1"}, "The number HW1 is in use already. Choose another one."},
		{[]string{"input", "number"}, nil, "Enter a number of 1 to 64 letters, digits and signs, without spaces."},
		{[]string{"input", "code"}, map[string]any{"case": "begin"}, "No authenticator app waits for its first code. Begin to bind one."},
		{[]string{"input", "reason"}, nil, "Enter a reason of 1 to 500 characters."},
		{[]string{"input", "count"}, nil, "Enter a whole number from 1 to 100."},
		{[]string{"input", "validTo"}, nil, "Choose a time that is still to come and later than the beginning."},
		{[]string{"input", "percentOff"}, nil, "Enter a percentage above 0 and at most 100, with at most four decimals."},
		{[]string{"input", "else"}, nil, "Check this entry: it is missing, too long or not in the form that is needed here."},
		{nil, nil, "Check this entry: it is missing, too long or not in the form that is needed here."},
	} {
		if got := messages.ForField("en", "INVALID_INPUT", c.field, c.args); got != c.want {
			t.Errorf("%v: %q, want %q", c.field, got, c.want)
		}
	}
}

func TestRemedy(t *testing.T) {
	if messages.Remedy("en", "PAYMENT_DECLINED") == messages.Remedy("en", "REFUND_NOT_ALLOWED") {
		t.Error("a declined payment has a remedy of its own")
	}
	for _, code := range enum(t, "UserErrorCode") {
		for _, locale := range messages.Locales {
			if messages.Remedy(locale, code) == "" {
				t.Errorf("%s %s: no remedy", locale, code)
			}
		}
	}
}

func ExampleText() {
	fmt.Println(messages.Text("zh-Hant", "transaction.ORDER_PAYMENT", map[string]any{"number": "HW2026"}))
	// Output: 訂單 HW2026
}

func BenchmarkText(b *testing.B) {
	args := map[string]any{"channel": models.ChannelAlipay}
	b.ReportAllocs()
	for b.Loop() {
		_ = messages.Text("zh-Hans", "transaction.TOP_UP", args)
	}
}
