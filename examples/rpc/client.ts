// A client in TypeScript: `node client.ts http://127.0.0.1:3080 apple`.

import { client } from "@hemi/rpc-client";
import { stock } from "./app.ts";

const [url = "http://127.0.0.1:3080", sku = "apple"] = process.argv.slice(2);
const shop = client(stock, { to: url });

const { count } = await shop.find({ sku });
console.log(`find: ${count}`);
const { changes } = await shop.load([
  { sku, by: 1 },
  { sku, by: -1 },
]);
console.log(`load: ${changes}`);
for await (const level of shop.watch({ sku })) {
  console.log(`watch: ${level.count}`);
  break;
}
