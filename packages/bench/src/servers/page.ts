// A page of 10 KiB, which compresses as pages do: to a quarter or so.

const size = 10 * 1024;

const words = (
  "a about all an and are as at be but by can catalogue colour delivery for free from has have in is it its leather like made new no not of " +
  "on one or our out price running shoes size so sole summer that the their they this to up was we weight which who will wind with you your"
).split(" ");

/** The same each time. */
export function makePage(): string {
  let state = 1;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  let page = "<!doctype html>\n<html lang=en><title>Shoes</title>\n";
  for (let i = 0; page.length < size; i++) {
    const text = Array.from({ length: 12 }, () => words[next() % words.length]).join(" ");
    const link = `<a href="/catalogue/shoes/${next() % 100_000}">${text}</a>`;
    page += `<li class="item">${link} <b>${next() % 200}.${next() % 100} €</b></li>\n`;
  }
  return page.slice(0, size);
}
