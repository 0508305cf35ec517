// Where the routes used here lie. Written out once more, and held to the contract's table by a test, because that table
// carries the schemas, which do not belong into a browser's bundle.

const segment = encodeURIComponent;

export const servicePaths = {
  session: () => '/v1/session',
  uploads: () => '/v1/uploads',
  upload: (id: string) => `/v1/uploads/${segment(id)}`,
  parts: (id: string) => `/v1/uploads/${segment(id)}/parts`,
  signParts: (id: string) => `/v1/uploads/${segment(id)}/parts/sign`,
  complete: (id: string) => `/v1/uploads/${segment(id)}/complete`,
  files: () => '/v1/files',
  file: (id: string) => `/v1/files/${segment(id)}`,
  restore: (id: string) => `/v1/files/${segment(id)}/restore`,
  content: (id: string) => `/v1/files/${segment(id)}/content`,
  preview: (id: string, preset: string) => `/v1/files/${segment(id)}/previews/${segment(preset)}`,
  shares: () => '/v1/shares',
  share: (id: string) => `/v1/shares/${segment(id)}`,
  rescan: (versionId: string) => `/v1/admin/quarantine/${segment(versionId)}/rescan`,
  links: (id: string) => `/v1/files/${segment(id)}/links`,
} as const;
