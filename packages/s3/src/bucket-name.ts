// The naming rules of general purpose buckets ("Bucket naming rules" of the S3 user guide). They hold for new buckets;
// a name that breaks them names no bucket. The suffix -an, which AWS gives to account regional namespaces, is a name like any
// other here.

import { S3Error } from './errors.ts';

/** @throws S3Error `InvalidBucketName`, which says what the rule is that the name breaks. */
export function checkBucketName(name: string): void {
  const reason = findFault(name);
  if (reason !== undefined) {
    throw new S3Error('InvalidBucketName', `The specified bucket is not valid: ${reason}`, {
      details: { BucketName: name },
    });
  }
}

/** Names that AWS keeps for access points, directory buckets and other resources of its own. */
const reservedPrefixes = ['xn--', 'sthree-', 'amzn-s3-demo-'] as const;
const reservedSuffixes = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3'] as const;

function findFault(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) return `a name has 3 to 63 characters, this one has ${name.length}.`;
  if (!/^[a-z0-9.-]+$/.test(name)) return 'only lower-case letters, digits, dots and hyphens are allowed.';
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return 'a name begins and ends with a letter or a digit.';
  if (name.includes('..')) return 'two dots may not stand together.';
  // Not in the list of rules, but every label must be a host name for virtual-host style to work (RFC 1123, 2.1).
  if (name.includes('.-') || name.includes('-.')) return 'a dot and a hyphen may not stand together.';
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(name)) return 'a name may not look like an IP address.';
  const prefix = reservedPrefixes.find((reserved) => name.startsWith(reserved));
  if (prefix !== undefined) return `the prefix ${prefix} is reserved.`;
  const suffix = reservedSuffixes.find((reserved) => name.endsWith(reserved));
  if (suffix !== undefined) return `the suffix ${suffix} is reserved.`;
  return undefined;
}
