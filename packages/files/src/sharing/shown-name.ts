// Names as people are shown them outside of the service. Marks that turn the direction of text make `…gpj.exe` read `…exe.jpg`, so
// names that leave hold none: letters of every script keep their own direction without them.

/** ALM, LRM and RLM, embeddings, overrides and isolates: all that Unicode calls Bidi_Control. */
export function withoutDirectionMarks(name: string): string {
  return name.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}
