// Live is a client of the protocol graphql-transport-ws: one socket for all subscriptions, opened when the first is wanted,
// kept alive by pings, opened again with growing waits when it breaks; then everything is subscribed anew.
const PING_EVERY = 20_000;
const PONG_WITHIN = 5_000;
const LONGEST_WAIT = 15_000;
const FOR_GOOD = new Set([4400, 4401, 4403, 4406]); // trying again would not help

export class Live {
  #subscriptions = new Map();
  #socket; #timer; #ping; #pong;
  #failures = 0;
  #number = 0;

  // init gives connection_init's payload; onstate hears "off", "connecting", "live", "waiting" or "refused".
  constructor(init, onstate) {
    this.init = init;
    this.onstate = onstate;
  }

  // subscribe gives a function that ends the subscription. ondata gets each result's data, onend an error or nothing.
  subscribe(query, variables, ondata, onend = () => {}) {
    const id = String(++this.#number);
    this.#subscriptions.set(id, { payload: { query, variables }, ondata, onend });
    if (!this.#socket && !this.#timer) this.#open();
    else if (this.#socket?.ready) this.#start(id);
    return () => {
      if (this.#subscriptions.delete(id) && this.#socket?.ready) this.#send({ id, type: 'complete' });
    };
  }

  close() {
    this.#subscriptions.clear();
    clearTimeout(this.#timer);
    this.#drop();
    this.onstate('off');
  }

  #open() {
    this.#timer = undefined;
    this.onstate('connecting');
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`;
    const socket = new WebSocket(url, 'graphql-transport-ws');
    this.#socket = socket;
    socket.onopen = () => this.#send({ type: 'connection_init', payload: this.init() });
    socket.onmessage = (e) => socket === this.#socket && this.#hear(JSON.parse(e.data));
    socket.onclose = (e) => socket === this.#socket && this.#broken(e.code);
  }

  #hear({ id, type, payload }) {
    clearTimeout(this.#pong); // anything heard is a sign of life
    const subscription = this.#subscriptions.get(id);
    if (type === 'connection_ack') this.#acknowledged();
    else if (type === 'ping') this.#send({ type: 'pong' });
    else if (type === 'next' && subscription && payload.data) subscription.ondata(payload.data);
    else if ((type === 'error' || type === 'complete') && this.#subscriptions.delete(id)) subscription.onend(payload?.[0]);
  }

  #acknowledged() {
    this.#failures = 0;
    this.#socket.ready = true;
    for (const id of this.#subscriptions.keys()) this.#start(id);
    this.#ping = setInterval(() => {
      this.#send({ type: 'ping' });
      this.#pong = setTimeout(() => this.#broken(), PONG_WITHIN);
    }, PING_EVERY);
    this.onstate('live');
  }

  #broken(code) {
    this.#drop();
    if (FOR_GOOD.has(code)) return this.onstate('refused');
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** this.#failures++) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#open(), wait);
    this.onstate('waiting');
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = undefined;
    clearInterval(this.#ping);
    clearTimeout(this.#pong);
    socket?.close(1000);
  }

  #start(id) { this.#send({ id, type: 'subscribe', payload: this.#subscriptions.get(id).payload }); }
  #send(message) { if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message)); }
}
