// Numbers of things: "1 file", "2 files".

const plural = new Intl.PluralRules('en');
const number = new Intl.NumberFormat();

export function count(amount: number, one: string, many = `${one}s`): string {
  return `${number.format(amount)} ${plural.select(amount) === 'one' ? one : many}`;
}
