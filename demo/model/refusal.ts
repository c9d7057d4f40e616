/** An answer of the Messages API that is no reply: status, error type and message as Anthropic words them. */
export class Refusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, type: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.headers = headers;
  }
}

export function invalid(message: string): Refusal {
  return new Refusal(400, "invalid_request_error", message);
}

export function errorBody(type: string, message: string, requestId: string): object {
  return { type: "error", error: { type, message }, request_id: requestId };
}
