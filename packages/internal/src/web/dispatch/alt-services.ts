// Where else a webapp is served (RFC 7838): what the field `alt-svc` of its responses says. A server over another
// transport announces itself here for as long as it listens, and the servers over TCP of the same webapps pass it on.

import type { WebappPart } from "../kinds.ts";

/** The alternative services of one webapp (RFC 7838). All servers of the process share it: see `AltServices.of`. */
export class AltServices {
  static readonly #all = new WeakMap<WebappPart, AltServices>();
  /** The value of `alt-svc`; "" if there is nothing to say. */
  field = "";
  readonly #services = new Map<object, string>();

  /** Those of a webapp. */
  static of(webapp: WebappPart): AltServices {
    const known = AltServices.#all.get(webapp);
    if (known !== undefined) return known;
    const made = new AltServices();
    AltServices.#all.set(webapp, made);
    return made;
  }

  /** From now on, `server` serves the webapp as `service` says, such as `h3=":443"; ma=86400`. */
  announce(server: object, service: string): void {
    this.#services.set(server, service);
    this.#write();
  }

  /** It does not any more. */
  withdraw(server: object): void {
    this.#services.delete(server);
    this.#write();
  }

  #write(): void {
    this.field = [...new Set(this.#services.values())].join(", ");
  }
}
