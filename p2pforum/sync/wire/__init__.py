"""How the frames of a sync session are written and read. Pure.

negentropy.py  Negentropy v1 messages, byte for byte
payloads.py    what each frame of a session carries
fields.py      numbers, flags and bounds in it, read strictly
frames.py      our framing around it
"""
