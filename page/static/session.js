// Who asks, in which language. GraphiQL at /graphiql/ reads the same two places.
const TOKEN = 'paydesk.token';
const NAME = 'paydesk.persona';
const LANGUAGE = 'paydesk.locale';

export const locales = { en: 'English', 'zh-Hans': '简体中文', 'zh-Hant': '繁體中文' };

export const session = {
  get token() { return sessionStorage.getItem(TOKEN) ?? ''; },
  get persona() { return sessionStorage.getItem(NAME) ?? ''; },
  signIn(persona, token) {
    sessionStorage.setItem(NAME, persona);
    sessionStorage.setItem(TOKEN, token);
  },
  signOut() {
    sessionStorage.removeItem(NAME);
    sessionStorage.removeItem(TOKEN);
  },
  get locale() { return localStorage.getItem(LANGUAGE) ?? preferred(); },
  set locale(value) { localStorage.setItem(LANGUAGE, value); },
};

function preferred() {
  for (const wanted of navigator.languages ?? []) {
    if (/^zh-(Hant|TW|HK|MO)/i.test(wanted)) return 'zh-Hant';
    if (/^zh/i.test(wanted)) return 'zh-Hans';
    if (/^en/i.test(wanted)) return 'en';
  }
  return 'en';
}
