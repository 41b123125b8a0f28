"""Lists as files: at once, or by a job where a workbook would keep the person waiting."""
