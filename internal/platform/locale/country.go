package locale

// OfCountry is the language of letters to an account of which only the country is known (ISO 3166-1 alpha-2): simplified Chinese
// in China, traditional Chinese in Hong Kong, Macao and Taiwan, English elsewhere.
func OfCountry(country string) string {
	switch country {
	case "CN":
		return SimplifiedChinese
	case "HK", "MO", "TW":
		return TraditionalChinese
	}
	return Default
}
