package sandbox

// bank is where a payer of a bank channel has an account.
type bank struct{ Code, Name, NameZH string }

// banks are those that the sandbox's bank list shows, by the codes that merchants name them with.
var banks = []bank{
	{"ICBC", "Industrial and Commercial Bank of China", "中国工商银行"},
	{"ABC", "Agricultural Bank of China", "中国农业银行"},
	{"BOC", "Bank of China", "中国银行"},
	{"CCB", "China Construction Bank", "中国建设银行"},
	{"BOCOM", "Bank of Communications", "交通银行"},
	{"PSBC", "Postal Savings Bank of China", "中国邮政储蓄银行"},
	{"CMB", "China Merchants Bank", "招商银行"},
	{"CITIC", "China CITIC Bank", "中信银行"},
	{"CEB", "China Everbright Bank", "中国光大银行"},
	{"CMBC", "China Minsheng Bank", "中国民生银行"},
	{"SPDB", "Shanghai Pudong Development Bank", "浦发银行"},
	{"CIB", "Industrial Bank", "兴业银行"},
	{"PAB", "Ping An Bank", "平安银行"},
	{"CGB", "China Guangfa Bank", "广发银行"},
	{"HXB", "Hua Xia Bank", "华夏银行"},
}

// bankOf finds a bank; one that is not on the list is called by its code.
func bankOf(code string) (b bank, listed bool) {
	for _, b := range banks {
		if b.Code == code {
			return b, true
		}
	}
	return bank{code, code, ""}, false
}
