// Who may sign requests: accounts by access key. A list that is fixed when the engine starts; users, roles and
// temporary credentials come with IAM.

/** An account with its one key. Several rows may share an id: one account with several keys. */
export interface Account {
  /** What owns buckets and objects; shown as `Owner/ID`, compared with `x-amz-expected-bucket-owner`. */
  readonly id: string;
  readonly displayName: string;
  readonly email?: string;
  /** Whether this is the key of the account's root user. */
  readonly root: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export class AccountDirectory {
  readonly #byAccessKey = new Map<string, Account>();
  readonly #byId = new Map<string, Account>();

  /** @throws Error when two rows have the same access key, or when there is none at all. */
  constructor(accounts: readonly Account[]) {
    if (accounts.length === 0) throw new Error('The list of accounts is empty: name at least one account with a key.');
    for (const account of accounts) {
      if (account.accessKeyId === '' || account.secretAccessKey === '' || account.id === '') {
        throw new Error(`Account ${JSON.stringify(account.displayName)} lacks an id, an access key or a secret.`);
      }
      if (this.#byAccessKey.has(account.accessKeyId)) {
        throw new Error(`Two accounts have the access key ${account.accessKeyId}: every key belongs to one account.`);
      }
      this.#byAccessKey.set(account.accessKeyId, account);
      if (!this.#byId.has(account.id)) this.#byId.set(account.id, account);
    }
  }

  findByAccessKey(accessKeyId: string): Account | undefined {
    return this.#byAccessKey.get(accessKeyId);
  }

  /** The display name of an account; its id when it is not known here any more. */
  displayName(id: string): string {
    return this.#byId.get(id)?.displayName ?? id;
  }
}
