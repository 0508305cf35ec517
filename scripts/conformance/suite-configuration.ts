// Who the suite's clients are: one list of accounts, from which both the engine's accounts file and the suite's own
// configuration are written. The keys are made up for this and open nothing.

interface SuiteAccount {
  readonly section: string;
  readonly id: string;
  readonly displayName: string;
  readonly email: string;
  readonly root: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const sections: readonly SuiteAccount[] = [
  account('s3 main', '1'.repeat(12), 'main', false),
  account('s3 alt', '2'.repeat(12), 'alt', false),
  account('s3 tenant', '3'.repeat(12), 'tenant', false),
  account('iam', '4'.repeat(12), 'iam', false),
  account('iam root', '5'.repeat(12), 'iamroot', true),
  account('iam alt root', '6'.repeat(12), 'iamaltroot', true),
];

/** For the engine's `--accounts`. */
export const suiteAccounts = sections.map(({ section: _section, ...fields }) => fields);

/** The suite's S3TEST_CONF for an engine at this endpoint. */
export function suiteConfiguration(endpoint: string): string {
  const url = new URL(endpoint);
  const lines = [
    '[DEFAULT]',
    `host = ${url.hostname}`,
    `port = ${url.port}`,
    'is_secure = False',
    'ssl_verify = False',
    '[fixtures]',
    'bucket prefix = stowage-{random}-',
    'iam name prefix = stowage-',
    'iam path prefix = /stowage/',
  ];
  for (const { section, id, displayName, email, accessKeyId, secretAccessKey } of sections) {
    lines.push(`[${section}]`, `display_name = ${displayName}`, `user_id = ${id}`, `email = ${email}`);
    lines.push(`access_key = ${accessKeyId}`, `secret_key = ${secretAccessKey}`);
    // No api_name: us-east-1 is the region that AWS tells as an empty location.
    if (section === 's3 main') lines.push('api_name =');
    if (section === 's3 tenant') lines.push('tenant = tenant');
  }
  return `${lines.join('\n')}\n`;
}

function account(section: string, id: string, displayName: string, root: boolean): SuiteAccount {
  return {
    section,
    id,
    displayName,
    email: `${displayName}@example.com`,
    root,
    accessKeyId: `SUITE${displayName.toUpperCase()}KEY`,
    secretAccessKey: `suite-${displayName}-secret`,
  };
}
