// Amounts are text and whole minor units (BigInt); no float ever holds money.

// scale is how many decimals an amount of this currency has, told by one that the server wrote.
export const scale = (example) => (example.split('.')[1] ?? '').length;

// minor gives the whole minor units of a well-formed amount, or undefined where it is finer than the scale.
export function minor(text, digits) {
  const [whole, fraction = ''] = text.split('.');
  if (fraction.replace(/0+$/, '').length > digits) return undefined;
  return BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
}

// judge says what is wrong with what a person typed, for a channel's limits; without a problem it gives the amount.
export function judge(typed, { minimum, maximum, wholeUnitsOnly }) {
  const text = typed.normalize('NFKC').trim().replace(/^[¥$]\s*/, '');
  if (text === '') return { problem: 'amount.empty' };
  if (!/^(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(text)) return { problem: 'amount.malformed' };
  const digits = scale(minimum.amount);
  const value = minor(text, digits);
  if (value === undefined) return { problem: 'amount.fine', args: { digits } };
  if (value === 0n) return { problem: 'amount.zero' };
  if (value < minor(minimum.amount, digits)) return { problem: 'amount.small', args: { minimum: minimum.formatted } };
  if (value > minor(maximum.amount, digits)) return { problem: 'amount.large', args: { maximum: maximum.formatted } };
  if (wholeUnitsOnly && value % 10n ** BigInt(digits) !== 0n) return { problem: 'amount.whole' };
  return { amount: text };
}
