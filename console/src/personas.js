// Who asks. The page at / keeps its persona in the same two places.
const TOKEN = 'paydesk.token';
const NAME = 'paydesk.persona';

export const token = () => sessionStorage.getItem(TOKEN) ?? '';
export const chosen = () => sessionStorage.getItem(NAME) ?? '';

export function choose(name, text) {
  sessionStorage.setItem(NAME, name);
  sessionStorage.setItem(TOKEN, text);
}

// load gives the demo data's personas; none outside development, where they are 404.
export async function load() {
  const answer = await fetch('/dev/personas');
  return answer.ok ? answer.json() : [];
}
