// The two forms of a listing: a page, and JSON.

import { formatISOTime } from "@hemi/common";
import type { ListedEntry, Listing } from "./listing.ts";

/** `path` is that of the folder, decoded; it ends with "/". */
export function listingPage(path: string, { entries, isComplete }: Listing): string {
  const title = escape(path);
  const rows = entries.map(row).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<h1><bdi>${title}</bdi></h1>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">Size</th><th scope="col">Changed (UTC)</th></tr></thead>
<tbody>
${path === "/" ? "" : parentRow}${rows}</tbody>
</table>
${entries.length === 0 ? "<p>Nothing is here.</p>\n" : ""}${isComplete ? "" : "<p>There is more, which is not shown.</p>\n"}</body>
</html>
`;
}

/** As documented at the prop `listing`. */
export function listingJSON(path: string, { entries, isComplete }: Listing): string {
  const list = entries.map(({ name, type, size, modified }) =>
    type === "file" ? { name, type, size, modified } : { name, type, modified },
  );
  return JSON.stringify({ path, isComplete, entries: list });
}

function row({ name, type, size, modified }: ListedEntry): string {
  const slash = type === "directory" ? "/" : "";
  const iso = formatISOTime(modified.getTime());
  // Encoded as a whole, and behind a "./": whatever the name, it is one segment below this folder.
  const segment = encodeURIComponent(name).replaceAll("'", "%27");
  return (
    `<tr><td><a href="./${segment}${slash}"><bdi>${escape(name)}</bdi>${slash}</a></td>` +
    `<td>${type === "file" ? `<data value="${size}">${sizeText(size)}</data>` : ""}</td>` +
    `<td><time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")}</time></td></tr>\n`
  );
}

const parentRow = `<tr><td><a href="../">../</a></td><td></td><td></td></tr>\n`;

/** As in `1.4 MiB`. */
function sizeText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  // 1023.95 would be rounded to 1024.0.
  for (; amount >= (unit === 0 ? 1024 : 1023.95) && unit < units.length - 1; unit++) amount /= 1024;
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit] ?? ""}`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = [
  "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}",
  "h1{font-size:1.25rem;overflow-wrap:anywhere}",
  "table{width:100%;border-collapse:collapse}",
  "th{text-align:left;font-weight:600}",
  "th,td{padding:.25rem .5rem;border-bottom:1px solid #8883}",
  "td:first-child{overflow-wrap:anywhere}",
  "th:nth-child(2),td:nth-child(2){text-align:right}",
  "td:nth-child(n+2){width:1%;white-space:nowrap;font-variant-numeric:tabular-nums}",
  "a{text-decoration:none}a:hover,a:focus{text-decoration:underline}",
].join("");
