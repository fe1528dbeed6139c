// The whole of an app: loads the built-in model and shows one translation.

import { Hala } from 'hala-web';

const hala = await Hala.load({ backend: 'wasm' });
const { text } = await hala.translate({ text: 'صباح الخير' });
document.querySelector('output').textContent = `${text} ${hala.info.threads === 1 ? 'One thread.' : 'Several threads.'}`;
