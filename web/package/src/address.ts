// Addresses of models.

/** The folder that a model's address stands for: the `main` branch of a repository of the Hub, or the folder itself. */
export function folderOf(model: string | URL): URL {
  const url = new URL(model, document.baseURI);
  const isHub = url.hostname === 'huggingface.co' && /^\/[^/]+\/[^/]+\/?$/.test(url.pathname);
  const folder = url.href.replace(/\/$/, '');
  return new URL(isHub ? `${folder}/resolve/main/` : `${folder}/`);
}
