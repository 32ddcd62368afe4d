// Answers DNS. The default export is the pack.

import { pack } from "@hemi/internal";
import { dnsDealet } from "./doors/dns-dealet.ts";
import { dnsHandlet } from "./doors/dns-handlet.ts";
import { dnsBackend } from "./resolver/dns-backend.ts";

export { dnsDealet, dnsHandlet, dnsBackend };
export { dnsAnswerer, type DnsAnswerer, type Reply } from "./resolver/answerer.ts";
export type { Edns, Query } from "./message/query.ts";

export default pack("@hemi/contrib-dns", [dnsBackend, dnsDealet, dnsHandlet]);
