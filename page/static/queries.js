// What the page asks. Fragments are put together by hand: there is no build step.
const MONEY = '{ amount currency formatted }';
const BALANCE = `{ available ${MONEY} frozen ${MONEY} total ${MONEY} credit { available ${MONEY} limit ${MONEY} } version }`;
const ORDER = `{
  id number productType amountDue ${MONEY} expiresAt
  items { id name specification }
  linkedOrders { id number amountDue ${MONEY} }
  payability { payable code message }
  activePayment { id }
}`;
const PAYMENT = `{
  id number purpose status version createdAt expiresAt completedAt
  amount ${MONEY}
  parts { kind channel }
  orders { id number }
  failure { message remedy }
  nextAction { __typename ... on ScanQrCode { content imageUrl } ... on Redirect { url method } }
  timeline { at status note version }
}`;
const TRANSACTION = `{ id kind amount ${MONEY} balanceAfter ${MONEY} postedAt note payment { id number } order { number } }`;
const PAGE = 'pageInfo { hasNextPage endCursor }';
const ORDERS = `orders(filter: { statuses: [PENDING_PAYMENT] }, first: $orders, after: $afterOrders) { nodes ${ORDER} ${PAGE} }`;
const PAYMENTS = `payments(first: $payments, after: $afterPayments) { nodes ${PAYMENT} ${PAGE} }`;
const TRANSACTIONS = `transactions(first: $transactions, after: $afterTransactions) { nodes ${TRANSACTION} ${PAGE} }`;

export const VIEWER = 'query Viewer { now viewer { name role permissions account { id number name kind } } }';
export const HOME = `query Home($orders: Int, $afterOrders: String, $payments: Int, $afterPayments: String, $transactions: Int, $afterTransactions: String) {
  now balance ${BALANCE} ${ORDERS} ${PAYMENTS} ${TRANSACTIONS}
}`;
// more asks for the next page of one list alone.
export const more = {
  orders: `query MoreOrders($orders: Int, $afterOrders: String) { ${ORDERS} }`,
  payments: `query MorePayments($payments: Int, $afterPayments: String) { ${PAYMENTS} }`,
  transactions: `query MoreTransactions($transactions: Int, $afterTransactions: String) { ${TRANSACTIONS} }`,
};
export const TOP_UP_OPTIONS = `query TopUpOptions { topUpOptions {
  channels { channel name available reason minimum ${MONEY} maximum ${MONEY} wholeUnitsOnly }
  suggested ${MONEY} lastAmount ${MONEY}
} }`;

const ERRORS = `errors { code message field
  ... on InsufficientBalance { shortfall ${MONEY} }
  ... on OrdersNotPayable { blocked { code message order { number } } }
}`;
export const TOP_UP = `mutation TopUp($input: TopUpInput!) { result: topUp(input: $input) { payment ${PAYMENT} ${ERRORS} } }`;
export const PAY = `mutation Pay($input: PayInput!) { result: pay(input: $input) { payment ${PAYMENT} ${ERRORS} } }`;
export const CANCEL = `mutation Cancel($input: CancelPaymentInput!) { result: cancelPayment(input: $input) { payment ${PAYMENT} ${ERRORS} } }`;

export const WATCH_PAYMENT = `subscription WatchPayment($id: ID!) { payment: paymentStatus(paymentId: $id) ${PAYMENT} }`;
export const WATCH_BALANCE = `subscription WatchBalance { balance: balanceChanged ${BALANCE} }`;
