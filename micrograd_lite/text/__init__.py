"""What is written to disk or to the screen, and read back: files that are whole or untouched, cells, tables, words.

    files    a whole file or nothing; JSON that holds NaN
    cells    numbers and names as cells of a CSV file; reading such a file
    npz      arrays out of an npz file, without NumPy
    tables   rows of text as aligned columns, Markdown, CSV or HTML
    saving   a model as one JSON file
    words    small rules for words
    shares   of many runs how many learned, and how sure that is
    progress a bar on stderr while something takes its time
"""
