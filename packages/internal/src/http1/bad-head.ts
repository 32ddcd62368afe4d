/** Why a head is refused, and with which status. The connection is closed after it. */
export class BadHead {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    this.status = status;
    this.reason = reason;
  }
}

export const bareCR = new BadHead(400, "a CR stands without its LF");
