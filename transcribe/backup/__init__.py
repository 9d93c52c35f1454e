"""
Back a workspace up, restore it, and find what is damaged in either.

    manifest   the list of a backup: each file with size and SHA-256, and the files themselves, by content
    writing    workspace to backup: rows first, then the files that they name, the manifest last
    restoring  backup to workspace: into a hidden folder, renamed when it is whole
    checking   what is not as it was stored, in a workspace or a backup
"""
