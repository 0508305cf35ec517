// An account as listings show it: `<Owner>` and `<Initiator>`.

import { writeElement } from '../xml-writer.ts';

/** An account in a document. */
export interface Owner {
  /** The canonical user id. */
  readonly id: string;
  readonly displayName?: string;
}

/** Names the account with this id. */
export type OwnerOf = (accountId: string) => Owner;

export function writeOwner(name: 'Owner' | 'Initiator', owner: Owner): string {
  return `<${name}>${writeElement('ID', owner.id)}${writeElement('DisplayName', owner.displayName)}</${name}>`;
}
