// The whole of an app: loads the built-in model in the browser and shows one translation.
'use client';

import { Hala } from 'hala-web';
import { useEffect, useState } from 'react';

export default function Page() {
  const [text, setText] = useState('');
  useEffect(() => {
    const show = async () => {
      const hala = await Hala.load({ backend: 'wasm' });
      const { text } = await hala.translate({ text: 'صباح الخير' });
      setText(`${text} ${hala.info.threads === 1 ? 'One thread.' : 'Several threads.'}`);
    };
    show().catch((error) => setText(String(error)));
  }, []);
  return <output>{text}</output>;
}
